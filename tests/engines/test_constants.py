"""Numbers that a program reads when it starts: other numbers, the same program, the results of all engines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference import RULES_TO_TEST, mixed_images, open_run, small_experiment

from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.engines.brian import brian_session
from snstdp_cli.engines.constants import describe_numbers, is_tabled, make_table, read_numbers_at_start, tabled_names
from snstdp_cli.errors import EngineError
from snstdp_cli.network.numbers import run_time_numbers
from snstdp_cli.network.randomness import random_functions, sources
from snstdp_cli.network.wiring import draw_wiring

SOURCE = """\
    const size_t N = 4;
const double eta = 0.01;
const double low = - 0.5;
const int64_t window = 40;
    const double v_rest = - 0.065;
    w += eta;
"""
NUMBERS = {"window": 40, "eta": 0.01, "low": -0.5, "odd": np.float64(2.0)}
#: Another value of every number, where the statements stay.
OTHER: dict[str, Any] = {
    "network": {"w_exc_inh": 9.5, "w_inh_exc": 3.25, "theta_step_mv": 0.7, "theta_tau_ms": 321.0},
    "presentation": {
        **{"stimulus_ms": 120.0, "rest_ms": 90.0, "intensity": 11.5, "max_intensity": 14.5, "min_spikes": 4},
    },
}


def write_sources(folder: Path, source: str = SOURCE) -> Path:
    (folder / "code_objects").mkdir()
    path = folder / "code_objects" / "a.cpp"
    path.write_text(source)
    return path


def test_declared_numbers_are_read_from_the_table_and_all_else_stays(tmp_path: Path) -> None:
    path = write_sources(tmp_path)
    read_numbers_at_start(tmp_path, NUMBERS)
    assert tabled_names(NUMBERS) == ["eta", "low", "window"]
    assert path.read_text().splitlines() == [
        '#include "numbers.h"',
        "    const size_t N = 4;",
        "const double eta = (double)snstdp::numbers[0];",
        "const double low = (double)snstdp::numbers[1];",
        "const int64_t window = (int64_t)snstdp::numbers[2];",
        "    const double v_rest = - 0.065;",
        "    w += eta;",
    ]
    assert "numbers[3]" in (tmp_path / "numbers.cpp").read_text()
    assert make_table(["eta", "low", "window"], {**NUMBERS, "eta": 0.3}).tolist() == [0.3, -0.5, 40.0]


def test_a_number_that_a_program_does_not_hold_is_our_fault_and_never_a_wrong_result(tmp_path: Path) -> None:
    write_sources(tmp_path)
    with pytest.raises(EngineError, match=r"eta is 0\.01 in a program, expected 0\.02"):
        read_numbers_at_start(tmp_path, {**NUMBERS, "eta": 0.02})


def test_only_plain_numbers_are_tabled_and_others_stand_in_the_programs_name() -> None:
    assert all(map(is_tabled, (0.1, 3, -2.5)))
    assert not any(map(is_tabled, (True, np.float64(0.1), np.int64(3), 2**53, "x")))
    assert describe_numbers({"b": 1, "a": 0.5, "c": np.float64(2)}) == [
        ["a", "float", ""],
        ["b", "int", ""],
        ["c", "float64", "np.float64(2.0)"],
    ]


def other_parameters(experiment: Experiment) -> dict[str, Any]:
    """Return other values of the rule's numbers; an x_tar and a share near the limits would be another rule."""
    values = {key: value for key, value in experiment.rule.parameters.items() if isinstance(value, float)}
    return {f"rule.{key}": 0.7 * value for key, value in values.items()}


def other(experiment: Experiment, **more: Any) -> Experiment:
    return build_experiment(experiment, {**other_parameters(experiment), **OTHER, **more})


def generated(experiment: Experiment, folder: Path, *, plastic: bool) -> dict[str, str]:
    """Return the sources of a program by file name, as they are compiled.

    Brian 2 counts the functions of one name that are in memory, of networks before this one too: the count is left out.
    """
    plasticity, wiring = experiment.plasticity(16) if plastic else None, draw_wiring(experiment, 16)
    with brian_session(standalone=True) as brian2:
        from snstdp_cli.network.builder import build_network

        built = build_network(experiment, plasticity, wiring, experiment.chunk)
        built.network.run(1e7 * brian2.second, namespace={})
        brian2.device.build(directory=str(folder), compile=False, run=False, with_output=False)
    read_numbers_at_start(folder, run_time_numbers(experiment, plasticity))
    found = [(path.name, path.read_text()) for path in sorted(folder.rglob("*.cpp"))]
    sources = {re.sub(r"codeobject_\d+", "codeobject", name): text for name, text in found}
    assert len(sources) == len(found)
    return {name: re.sub(r"codeobject_\d+", "codeobject", text) for name, text in sources.items()}


@pytest.mark.compiles
def test_a_program_that_was_compiled_with_other_numbers_gives_the_bits_of_numpy() -> None:
    compiled = open_run(small_experiment(), "cpp").engine.program
    experiment = other(small_experiment())
    states = []
    for target in ("numpy", "cpp"):
        run = open_run(experiment, target)
        states.append(run.show(mixed_images()).state)
        assert target == "numpy" or run.engine.program.executable == compiled.executable
    assert all(np.array_equal(states[1][name], values) for name, values in states[0].items())
    assert not np.array_equal(states[0]["input_exc.w"], run.start["input_exc.w"])


@pytest.mark.slow
@pytest.mark.parametrize("plastic", [True, False])
@pytest.mark.parametrize("rest", ["simulated", "reset"])
@pytest.mark.parametrize("rule", RULES_TO_TEST)
def test_other_numbers_give_the_very_same_sources(tmp_path: Path, rule: str, rest: str, plastic: bool) -> None:
    before = small_experiment(rule, presentation={"rest": rest})
    after = other(before, presentation={**OTHER["presentation"], "rest": rest})
    changed = run_time_numbers(before, before.plasticity(16)), run_time_numbers(after, after.plasticity(16))
    same = {key for key in changed[0] if changed[0][key] == changed[1][key]}
    # The time step and the bounds of a rule, which these depend on, shape a program and stay.
    assert not {key for key in same if not key.startswith(("usable", "s_max", "s_min", "chance_per_grey"))}
    sources = [generated(one, tmp_path / str(k), plastic=plastic) for k, one in enumerate((before, after))]
    assert sources[0] == sources[1]


def test_a_rule_may_call_a_number_as_random_numbers_call_theirs(tmp_path: Path) -> None:
    """`rate`, `gap`, `s`, `q`: lines with them looked like those of the rule's constants, and it was refused."""
    (tmp_path / "code_objects").mkdir()
    path = tmp_path / "code_objects" / "a.cpp"
    text = "".join(sources(name)["cpp"] for name in random_functions())
    path.write_text(text)
    read_numbers_at_start(tmp_path, dict.fromkeys(("rate", "gap", "s", "q", "m", "x", "wait"), 0.5))
    assert path.read_text() == text
