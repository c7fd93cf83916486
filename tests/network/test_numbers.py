"""The numbers of a network are those that its objects hold, whatever reads them."""

from __future__ import annotations

import math

import pytest
from reference import RULES_TO_TEST, open_fresh, small_experiment

from snstdp_cli.network.numbers import neuron_numbers, run_time_numbers


@pytest.mark.parametrize(
    ("rule", "rest", "precision"),
    [
        (RULES_TO_TEST[0], "simulated", {}),
        (RULES_TO_TEST[0], "reset", {"weights": {"bits": 4, "rounding": "floor"}, "state": {"bits": 16}}),
        ("triplet", "simulated", {"weights": {"bits": 4}}),
        ("triplet", "reset", {}),
    ],
)
def test_every_number_is_in_the_built_network_with_this_value(
    rule: str, rest: str, precision: dict[str, dict[str, object]]
) -> None:
    experiment = small_experiment(rule, presentation={"rest": rest}, precision=precision)
    found: dict[str, set[float]] = {}
    for thing in open_fresh(experiment, "numpy").built.network.objects:
        for name, value in (getattr(thing, "namespace", None) or {}).items():
            if isinstance(value, int | float):
                found.setdefault(name, set()).add(float(value))
    numbers = run_time_numbers(experiment, experiment.plasticity(16))
    missing = {name: value for name, value in numbers.items() if found.get(name) != {float(value)}}
    assert missing.keys() == {"theta_step"} | ({"half_code"} if "state" in precision else set())  # quantities there
    step_mv = round(experiment.theta_step_mv * 256) / 256 if "state" in precision else experiment.theta_step_mv
    assert numbers["theta_step"] == step_mv * 0.001


def test_decays_have_the_digits_with_which_the_results_of_version_0_2_were_made() -> None:
    experiment = small_experiment("triplet", dt=0.5, network={"theta_tau_ms": 1e7})
    numbers = neuron_numbers(experiment, experiment.plasticity(16))
    assert numbers["keep_theta"] == 0.999999950000001 != math.exp(-0.5 / 1e7)
    assert numbers["keep_post1"] == pytest.approx(math.exp(-0.5 / 20), rel=1e-14)
