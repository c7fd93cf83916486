"""Names that a rule may not use are those of the network as it is built."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from reference import RULES_TO_TEST, open_fresh, small_experiment

from snstdp_cli.network.names import reserved_names, state_variables
from snstdp_cli.rules.reserved import TRACE_PREFIXES


def plain(name: str) -> str:
    return name.removesuffix("_pre").removesuffix("_post")


@pytest.mark.parametrize("integration", ["exponential_euler", "euler"])
@pytest.mark.parametrize("rule", ["smin-lagged", "triplet"])
def test_every_name_of_the_built_network_is_reserved_but_the_rules_own(rule: str, integration: str) -> None:
    from brian2.utils.stringtools import get_identifiers

    experiment = small_experiment(rule, network={"integration": integration})
    plasticity = experiment.plasticity(16)
    own = {*plasticity.neuron_variables, *plasticity.traces, *plasticity.constants}
    own |= {f"{prefix}{name}" for prefix in TRACE_PREFIXES for name in plasticity.traces}
    built = open_fresh(experiment, "numpy").built
    found: set[str] = set()
    groups: list[Any] = [built.exc, built.inh, built.synapses]
    for group in groups:
        found |= {plain(name) for name in group.variables if not name.startswith("_")} | set(group.namespace)
    for group in groups[:2]:
        found |= get_identifiers(group.state_updater.method_choice([], None)) - {"int", "abs"}
    taken = {name for name in found if name not in own and not name.startswith(("N_", "e-", "_"))}
    assert taken - reserved_names() == set()
    assert {"v", "gi", "theta", "arrived", "E_inh", "tau_theta", "cooldown", "free"} <= taken
    assert ({"w_sum", "w_total"} <= taken) == (rule == "triplet")


def test_only_names_are_reserved_that_the_packages_rules_can_do_without() -> None:
    reserved = reserved_names()
    for rule in RULES_TO_TEST:
        plasticity = small_experiment(rule).plasticity(16)
        own = {*plasticity.neuron_variables, *plasticity.traces, *plasticity.constants, *plasticity.on_post}
        assert own & reserved == set()
    assert not {"int", "abs", "volt", "clip", "linked", "integer", "dv", "ge_post"} & reserved


@pytest.mark.parametrize("name", ["phi", "slope", "mean_gi", "e4", "free", "refractory_steps", "theta_step", "tick"])
def test_temporaries_of_the_step_and_derived_constants_are_reserved(name: str) -> None:
    assert name in reserved_names()


def test_the_state_that_outlives_a_chunk_is_the_networks_and_the_rules() -> None:
    frozen, learning = state_variables(None), state_variables(small_experiment("triplet").plasticity(16))
    assert set(learning) - set(frozen) == {("input_exc", "arrived"), ("exc", "post1"), ("exc", "post2")}
    assert set(frozen) == {
        *((group, name) for group in ("exc", "inh") for name in ("v", "ge", "cooldown")),
        *(("exc", name) for name in ("gi", "theta")),
        ("input_exc", "w"),
    }


def test_names_constants_and_wiring_do_not_import_brian() -> None:
    code = (
        "import sys; import snstdp_cli.network.names as n, snstdp_cli.network.wiring; n.reserved_names();"
        "print('brian2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
