"""What each setting affects, proved: by the network that is built from it, and by the arrays that are drawn from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

import brian2
import numpy as np
import pytest
from brian2.core.functions import Function

import snstdp_cli
from snstdp_cli.config import (
    Experiment,
    build_experiment,
    differences,
    differing_settings,
    fingerprint,
    recorded_experiment,
    setting_leaves,
    setting_notes,
    settings_of,
)
from snstdp_cli.config.facets import affected
from snstdp_cli.datasets import withhold
from snstdp_cli.datasets.parts import is_withheld
from snstdp_cli.engines import Stream
from snstdp_cli.engines.constants import is_tabled
from snstdp_cli.fields import FACETS
from snstdp_cli.network.builder import build_network
from snstdp_cli.network.numbers import run_time_numbers
from snstdp_cli.network.wiring import draw_weights, draw_wiring, training_order
from snstdp_cli.recording.corruption import corrupt_images
from snstdp_cli.rules import RULES, plasticity_digest

N_INPUT, IMAGES = 6, 5
BASE = {"n_e": 4, "num_examples": 8, "chunk": 3}
#: Another value of each setting, and what it takes for the setting to matter.
CHANGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "n_e": (5, {"network.theta_step_mv": 0.1}),
    "dt": (0.25, {}),
    "arithmetic": ("single", {}),
    "num_examples": (9, {}),
    "epochs": (False, {}),
    "order": ("shuffled", {}),
    "seed": (1, {}),
    "noise_seed": (1, {}),
    "data": ("fashion-mnist", {}),
    "load_name": ("other", {}),
    "save_name": ("other", {}),
    "engine": ("runtime", {}),
    "chunk": (4, {}),
    "checkpoint_every": (100, {}),
    "input.test_share": (0.2, {}),
    "input.classes": (["3"], {}),
    "input.max_per_class": (3, {}),
    "input.transpose": (True, {}),
    "input.scale": (16, {}),
    "input.invert": (True, {}),
    "input.crop": (1, {}),
    "input.size": (14, {}),
    "input.resample": ("nearest", {}),
    "input.noise": (0.2, {}),
    "input.occlusion": (0.2, {}),
    "input.shift": (2, {}),
    "network.inhibition": ("dense", {}),
    "network.inhibition_delay_ms": (5, {"network.inhibition": "dense"}),
    "network.input_delay_ms": (5, {}),
    "network.integration": ("euler", {}),
    "network.w_exc_inh": (9, {}),
    "network.w_inh_exc": (9, {}),
    "network.theta_init_mv": (9, {}),
    "network.theta_step_mv": (0.1, {}),
    "network.theta_tau_ms": (1e6, {}),
    "network.weight_init": (0.4, {}),
    "presentation.stimulus_ms": (300, {}),
    "presentation.rest_ms": (100, {}),
    "presentation.rest": ("reset", {}),
    "presentation.intensity": (3, {}),
    "presentation.max_intensity": (20, {}),
    "presentation.min_spikes": (3, {}),
    "evaluation.assign_examples": (100, {}),
    "evaluation.test_examples": (100, {}),
    "evaluation.validation_examples": (2, {}),
    "evaluation.validation_images": ("spread", {"evaluation.validation_examples": 2}),
    "evaluation.classifier": ("selective", {}),
    "evaluation.curve_every": (100, {}),
    "evaluation.stage_examples": (100, {}),
    "evaluation.curve_examples": (100, {}),
}


@pytest.fixture(autouse=True)
def _numpy_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # The networks are looked at and never run.
    brian2.BrianLogger.suppress_name("unused_brian_object")
    # Synapses that follow from the sizes are not made: Brian 2 would write code for each, which takes most of the time.
    monkeypatch.setattr(brian2.Synapses, "_add_synapses_generator", lambda *_, **__: None, raising=False)
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    yield
    brian2.prefs.codegen.target = before


def pair(key: str) -> tuple[Experiment, Experiment]:
    """Return two experiments that differ in one setting."""
    value, needed = CHANGES[key]
    before, after = (build_experiment(BASE, {**needed, **more}) for more in ({}, {key: value}))
    assert [name for name, _ in set(leaves(before)) ^ set(leaves(after))] == [key, key]
    return before, after


def leaves(experiment: Experiment) -> list[tuple[str, Any]]:
    return list(setting_leaves(experiment.model_dump()))


# The program


@cache
def description(experiment: Experiment, *, plastic: bool) -> list[str]:
    """Describe the built network: equations, statements, names with their values, order and sizes, as a program has it.

    The values of arrays (weights, delays, images) are no part of a program, which reads them from files; whether there
    are delays is.
    """
    wiring = draw_wiring(experiment, N_INPUT)
    plasticity = experiment.plasticity(N_INPUT) if plastic else None
    built = build_network(experiment, plasticity, wiring, experiment.chunk)
    return sorted(line for thing in built.network.objects for line in _lines(thing))


def _lines(thing: Any) -> Iterator[str]:
    said = {"type": type(thing).__name__, "N": getattr(thing, "N", "")}
    for name in ("when", "order", "code", "abstract_code", "event", "events", "event_codes", "equations", "record"):
        said[name] = getattr(thing, name, "")
    said["clock"] = getattr(getattr(thing, "clock", None), "dt_", "")
    if isinstance(thing, brian2.NeuronGroup):
        method = thing.method_choice
        said["step"] = method(thing.equations, thing.variables, None) if callable(method) else method
    if "delay" in getattr(thing, "variables", {}):
        said["delays"] = bool(thing.variables["delay"].get_value().any())
    for name, value in (getattr(thing, "namespace", None) or {}).items():
        said[f"namespace {name}"] = _value(value)
    for name, variable in getattr(thing, "variables", {}).items():
        what = [getattr(variable, part, "") for part in ("dtype", "size", "constant", "scalar")]
        value = variable.get_value() if type(variable).__name__ == "Constant" else ""
        said[f"variable {name}"] = f"{type(variable).__name__} {what} {value!r}"
    yield from (f"{thing.name}: {key}: {value}" for key, value in said.items())
    for inner in thing.contained_objects:
        yield from _lines(inner)


def _value(value: Any) -> str:
    if isinstance(value, brian2.TimedArray):
        return f"TimedArray {value.values.shape} {value.dt}"
    return "function" if isinstance(value, Function) else repr(value)


def network_changes(key: str, *, plastic: bool) -> bool:
    before, after = (description(experiment, plastic=plastic) for experiment in pair(key))
    return before != after


def program_changes(key: str, *, plastic: bool) -> bool:
    """Tell whether the network changes in more than the numbers that a program reads when it starts."""
    before, after = (
        [
            line
            for line in description(experiment, plastic=plastic)
            if not any(f": namespace {name}: " in line for name in read_at_start(experiment))
        ]
        for experiment in pair(key)
    )
    return before != after


@cache
def read_at_start(experiment: Experiment) -> tuple[str, ...]:
    """Return the names of such numbers, and of the time constant from which one was derived."""
    numbers = run_time_numbers(experiment, experiment.plasticity(N_INPUT))
    assert all(map(is_tabled, numbers.values()))
    return (*numbers, "tau_theta")


def test_input_delays_shape_the_program_by_being_there() -> None:
    """The key of a program holds whether there are any; their values are read from a file."""
    without, ten, five = (build_experiment(BASE, {"network.input_delay_ms": delay}) for delay in (0, 10, 5))
    assert description(ten, plastic=False) == description(five, plastic=False) != description(without, plastic=False)
    delays = [draw_wiring(experiment, N_INPUT).delay_steps.any() for experiment in (without, ten, five)]
    assert delays == [False, True, True]


# Training and recording


def drawn(experiment: Experiment) -> dict[str, Any]:
    """Return what is drawn for an experiment before anything runs."""
    wiring = draw_wiring(experiment, N_INPUT)
    return {
        "wiring": [wiring.pre, wiring.post, wiring.delay_steps, wiring.inhibition_delay_steps],
        # As for a rule without a target norm, with which the scale of the weights has no effect.
        "weights": [draw_weights(experiment, N_INPUT, None)],
        "order": [training_order(experiment, 0, experiment.num_examples, IMAGES)],
        "threshold": [np.full(experiment.n_e, experiment.network.theta_init_mv)],
        "noise": [np.array(experiment.seed if experiment.noise_seed is None else experiment.noise_seed)],
        "shown": [corrupt_images(np.full((2, 9, 9), 99, np.uint8), experiment, Stream.TEST_RECORDING)],
        "withheld": [withhold(np.arange(1000) % 10, experiment.evaluation.curve_examples, experiment.seed)],
        "kept for validation": [is_withheld(1000, experiment.evaluation.withheld)],
    }


def drawn_otherwise(key: str) -> set[str]:
    before, after = (drawn(experiment) for experiment in pair(key))
    return {name for name in before if not all(map(np.array_equal, before[name], after[name]))}


@pytest.mark.parametrize("key", CHANGES)
def test_a_setting_affects_what_it_says_and_nothing_else(key: str) -> None:
    arrays = drawn_otherwise(key)
    programs = {program_changes(key, plastic=plastic) for plastic in (True, False)}
    # Whether there are delays of inhibition is told by the wiring, from which a program is named too.
    assert programs == {"program" in affected(key) or key == "network.inhibition_delay_ms"}
    learning, frozen = (network_changes(key, plastic=plastic) for plastic in (True, False))
    # A chunk changes how many images the program holds, and no spike.
    results = key != "chunk"
    assert (bool(arrays - {"shown"}) or (learning and results)) == ("training" in affected(key))
    assert (bool(arrays & {"wiring", "noise", "shown"}) or (frozen and results)) == ("recording" in affected(key))


def test_every_setting_is_tried() -> None:
    assert [key for key, _ in leaves(build_experiment()) if not key.startswith(("rule.", "precision."))] == list(
        CHANGES
    )


@pytest.mark.parametrize("name", RULES)
def test_every_parameter_of_a_rule_shapes_the_built_rule(name: str) -> None:
    """Rules are no part of the program's settings: its key holds the rule as it was built."""
    experiment = build_experiment({"rule": name})
    digests = {plasticity_digest(experiment.plasticity(784))}
    for key, value in experiment.rule.parameters.items():
        annotation = RULES[name].parameters.model_fields[key].annotation
        if get_origin(annotation) is not None and isinstance(value, str):
            other: Any = next(choice for choice in get_args(annotation) if choice != value)
        else:
            other = f"0.5 * ({value}) + 0.1" if isinstance(value, str) else value * 0.7 or 3.0
        digests.add(plasticity_digest(build_experiment(experiment, {f"rule.{key}": other}).plasticity(784)))
        assert affected(f"rule.{key}") == affected("rule.name") == {"training"}
    assert len(digests) == 1 + len(experiment.rule.parameters)


# Fingerprints


def test_only_what_a_facet_holds_changes_its_fingerprint() -> None:
    for key in CHANGES:
        before, after = pair(key)
        for facet in FACETS:
            same = fingerprint(settings_of(before, facet)) == fingerprint(settings_of(after, facet))
            assert same == (facet not in affected(key)), (key, facet)


def test_fingerprints_stay_what_they_are() -> None:
    """Files and folders are found by them.

    They may change when a setting leaves a facet, or when `GENERATION` counts up because the same settings give other
    results; never because a module moved, a sentence changed or a setting was added (which says `since` when). The
    training is that of the triplet rule, whose parameters are Diehl & Cook's.
    """
    experiment = build_experiment({"rule": "triplet"})
    assert {facet: fingerprint(settings_of(experiment, facet)) for facet in FACETS} == FROZEN


FROZEN = {
    "program": "deae918ceb482c08",
    "training": "8b0f5a3931ce5433",
    "recording": "a6398c989989f046",
    "score": "5b15f496274727e3",
    "data": "f2263adcef21f8c0",
}


def test_equal_settings_have_equal_fingerprints_however_they_were_written() -> None:
    one = build_experiment({"network": {"input_delay_ms": -0.0}, "n_e": 400.0, "rule": {"eta": "1e-2"}})
    other = build_experiment({"network": {"input_delay_ms": 0}, "rule": {"name": "smin"}, "save_name": "other"})
    for facet in FACETS:
        assert fingerprint(settings_of(one, facet)) == fingerprint(settings_of(other, facet))
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1}) != fingerprint({"a": 1})


def test_settings_can_be_left_out() -> None:
    settings = settings_of(build_experiment(), "training", without=["num_examples"])
    assert "num_examples" not in settings
    assert settings["rule.name"] == "smin"
    assert settings["network.theta_step_mv"] == 0.05


# Differences


def test_differences_name_both_values() -> None:
    before, after = (
        settings_of(build_experiment({"dt": dt, "rule": rule}), "training")
        for dt, rule in ((0.5, "smax"), (0.1, "smin"))
    )
    assert differences(before, after) == [
        "dt (0.5, there 0.1)",
        "rule.name (smax, there smin)",
        "rule.positive_share (not there, there 0.5)",
        "rule.s_max (L_tar / L_0, there share * L_tar / L_0)",
        "rule.s_min (0, there -(1 - share) * L_tar / (n - L_0))",
    ]
    assert differences(before, before) == []


LATER = [
    ({"arithmetic": "single"}, "arithmetic (single, there double)"),
    ({"order": "shuffled"}, "order (shuffled, there as_is)"),
    ({"order": "by_class"}, "order (by_class, there as_is)"),
    ({"precision": {"weights": {"bits": 4}}}, "precision.weights.bits (4, there None)"),
    ({"rule": {"name": "triplet", "eta_decay": 500}}, "rule.eta_decay (500, there 0)"),
]


@pytest.mark.parametrize(("changes", "note"), LATER)
def test_a_setting_that_is_older_than_results_is_told_at_its_default(changes: dict[str, Any], note: str) -> None:
    """Identities leave out what came later and is at its default, and a file of then does not know it."""
    usual = {"rule": "triplet"}
    now, then = (settings_of(build_experiment({**usual, **one}), "training") for one in (changes, {}))
    assert differences(now, then) == [note]
    explicit = {**then, "arithmetic": "double", "rule.eta_decay": 0.0, "precision.weights.bits": None}
    assert differences(explicit, then) == differences(then, explicit) == []


def test_a_name_of_a_rule_that_is_none_is_told_as_it_is() -> None:
    assert differences({"rule.name": "smax"}, {"rule.name": ["smax"]}) == ["rule.name (smax, there ['smax'])"]


def test_the_order_has_one_name_in_differences() -> None:
    by_class, shuffled = (
        settings_of(build_experiment({"order": order}), "training") for order in ("by_class", "shuffled")
    )
    assert differences(by_class, shuffled) == ["order (by_class, there shuffled)"]


def test_one_place_knows_how_a_field_says_since_when_it_is_there() -> None:
    package = Path(snstdp_cli.__file__).parent
    found = [path.name for path in package.rglob("*.py") if re.search(r"SINCE\b|['\"]since['\"]", path.read_text())]
    assert found == ["facets.py"], "fields that are no `setting` say it by since_version"


def test_differences_that_a_short_note_would_hide_are_written_in_full() -> None:
    assert differences({"a": 0.100001}, {"a": 0.100002}) == ["a (0.100001, there 0.100002)"]


def test_a_third_network_of_another_rule_hides_nothing() -> None:
    """Issue 12: with a third network of another rule the swept `rule.eta` disappeared from table, figure and report."""
    experiments = [
        build_experiment({"rule": {"name": "smin", "eta": 0.01}, "save_name": "a"}),
        build_experiment({"rule": {"name": "smin", "eta": 0.02}, "save_name": "b"}),
        build_experiment({"rule": "triplet", "save_name": "c"}),
    ]
    found = differing_settings(experiments)
    assert found == [
        {"rule.name": "smin", "rule.eta": 0.01},
        {"rule.name": "smin", "rule.eta": 0.02},
        {"rule.name": "triplet"},
    ]
    assert setting_notes(found[1]) == ["rule.name smin", "rule.eta 0.02"]
    assert differing_settings([*experiments[:2], None]) == [{"rule.eta": 0.01}, {"rule.eta": 0.02}, {}]
    assert differing_settings([experiments[0], experiments[0], None]) == [{}, {}, {}]
    assert differing_settings([]) == []


def test_rules_that_nobody_knows_are_compared_too() -> None:
    records = [recorded_experiment({"rule": {"name": "mine.py:MINE", "taus": taus}}, "net") for taus in ([1], [2])]
    assert differing_settings(records) == [{"rule.taus": [1]}, {"rule.taus": [2]}]


def test_what_comes_from_a_record_is_escaped_in_notes() -> None:
    assert setting_notes({"rule.note": "\x1b[31m"}) == [r"rule.note \x1b[31m"]
    assert differences({"a": "\x1b[31m"}, {"a": 1}) == [r"a (\x1b[31m, there 1)"]


PRECISION: dict[str, tuple[Any, dict[str, Any]]] = {
    "precision.weights.bits": (4, {}),
    "precision.weights.range": ([0, 2], {"precision.weights.bits": 4}),
    "precision.weights.rounding": ("stochastic", {"precision.weights.bits": 4}),
    "precision.scaling.bits": (4, {}),
    "precision.scaling.divide": ("shift", {}),
    "precision.scaling.table_bits": (3, {"precision.scaling.divide": "table"}),
    "precision.scaling.eta_shift": (7, {}),
}
STATE: dict[str, tuple[Any, dict[str, Any]]] = {
    "precision.state.bits": (16, {}),
    "precision.state.fraction": (6, {"precision.state.bits": 16}),
}


def test_every_setting_of_precision_is_tried() -> None:
    found = [key for key, _ in leaves(build_experiment()) if key.startswith("precision.")]
    assert found == [*PRECISION, *STATE]


@pytest.mark.parametrize("key", STATE)
def test_a_fixed_point_state_shapes_trainings_and_recordings_and_its_digits_no_program(key: str) -> None:
    value, needed = STATE[key]
    before, after = (build_experiment({}, {**needed, **more}) for more in ({}, {key: value}))
    assert affected(key) == {"training", "recording"}
    assert settings_of(before, "program") == settings_of(after, "program")
    assert settings_of(before, "training") != settings_of(after, "training")
    assert settings_of(before, "recording") != settings_of(after, "recording")


@pytest.mark.parametrize("key", PRECISION)
def test_precision_shapes_the_built_rule_and_of_a_frozen_network_only_its_weights(key: str) -> None:
    """As a rule's own parameters, it is no part of the program's settings."""
    value, needed = PRECISION[key]
    before, after = (build_experiment({}, {**needed, **more}) for more in ({}, {key: value}))
    assert plasticity_digest(before.plasticity(784)) != plasticity_digest(after.plasticity(784))
    assert (before.weight_grid(784) != after.weight_grid(784)) == ("recording" in affected(key))
    assert affected(key) - {"recording"} == {"training"}
    assert settings_of(before, "program") == settings_of(after, "program")
    assert settings_of(before, "training") != settings_of(after, "training")


def test_precision_that_is_off_changes_no_fingerprint() -> None:
    assert not [key for key in settings_of(build_experiment(), "training") if key.startswith("precision")]
    found = settings_of(build_experiment({"precision": {"scaling": {"eta_shift": 7}}}), "training")
    assert [key for key in found if key.startswith("precision")][-1] == "precision.scaling.eta_shift"
    assert not [key for key in found if key.startswith("precision.weights")]
