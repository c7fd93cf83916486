"""From settings as they were given to a complete experiment, or to a sentence for each that cannot be used."""

from __future__ import annotations

import copy
import doctest
import time
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import pytest
from configurations import load, refusal, with_overrides

from snstdp_cli.config import build, build_experiment, check_name, facets, merge, recorded_experiment
from snstdp_cli.errors import ConfigError

# Impossible values


WHOLE_N_E = "a whole number from 1 to 100,000"
ETA = "a number above 0 and at most 1"
IMPOSSIBLE = [
    ("n_e: 0", "n_e: found 0, expected " + WHOLE_N_E),
    ("n_e: -3", "n_e: found -3, expected " + WHOLE_N_E),
    ("n_e: 100001", "n_e: found 100001, expected " + WHOLE_N_E),
    ("n_e: true", "n_e: found true, expected " + WHOLE_N_E),
    ("n_e: abc", "n_e: found 'abc', expected " + WHOLE_N_E),
    ("n_e: 1.5", "n_e: found 1.5, expected " + WHOLE_N_E),
    ("n_e: '1.5'", "n_e: found 1.5, expected " + WHOLE_N_E),
    ("n_e:", "n_e: found null, expected " + WHOLE_N_E),
    ("n_e: ''", "n_e: found '', expected " + WHOLE_N_E),
    ("n_e: [400]", "n_e: found [400], expected " + WHOLE_N_E),
    ("n_e: {a: 1}", "n_e: found {'a': 1}, expected " + WHOLE_N_E),
    ("n_e: .inf", "n_e: found inf, expected " + WHOLE_N_E),
    ("n_e: .nan", "n_e: found nan, expected " + WHOLE_N_E),
    ("n_e: 1e999", "n_e: found inf, expected " + WHOLE_N_E),
    ("n_e: nan", "n_e: found 'nan', expected " + WHOLE_N_E),
    ("n_e: infinity", "n_e: found 'infinity', expected " + WHOLE_N_E),
    ("n_e: 0o17", "n_e: found '0o17', expected " + WHOLE_N_E),
    ("n_e: 017", "n_e: found '017', expected " + WHOLE_N_E),
    ("n_e: 0x10", "n_e: found '0x10', expected " + WHOLE_N_E),
    ("n_e: 0b11", "n_e: found '0b11', expected " + WHOLE_N_E),
    ("n_e: 1:30", "n_e: found '1:30', expected " + WHOLE_N_E),
    ("n_e: 2026-01-01", "n_e: found '2026-01-01', expected " + WHOLE_N_E),
    ("n_e: 2026-01-01 12:00:00", "n_e: found '2026-01-01 12:00:00', expected " + WHOLE_N_E),
    ("n_e: １２", "n_e: found '１２', expected " + WHOLE_N_E),
    ("n_e: 400 neurons", "n_e: found '400 neurons', expected " + WHOLE_N_E),
    ("seed: -1", "seed: found -1, expected a whole number at least 0 and below 2,147,483,648"),
    ("seed: 2147483648", "seed: found 2147483648, expected a whole number at least 0 and below 2,147,483,648"),
    ("seed: 1e300", "expected a whole number at least 0 and below 2,147,483,648"),
    ("num_examples: 0", "num_examples: found 0, expected a whole number from 1 to 1,000,000,000"),
    ("num_examples: 1e18", "num_examples: found 1000000000000000000, expected a whole number from 1 to 1,000,000,000"),
    ("chunk: 0", "chunk: found 0, expected a whole number from 1 to 100,000"),
    ("checkpoint_every: 0", "checkpoint_every: found 0, expected a whole number from 1 to"),
    ("dt: 0", "dt: found 0, expected a number from 0.001 to 2"),
    ("dt: 0.0", "dt: found 0.0, expected a number from 0.001 to 2"),
    ("dt: -0.5", "dt: found -0.5, expected a number from 0.001 to 2"),
    ("dt: 2.001", "dt: found 2.001, expected a number from 0.001 to 2"),
    ("dt: 1e-9", "dt: found 1e-09, expected a number from 0.001 to 2"),
    ("dt: 0.5 ms", "dt: found '0.5 ms', expected a number from 0.001 to 2"),
    ("dt: .nan", "dt: found nan, expected a number from 0.001 to 2"),
    ("dt: -.inf", "dt: found -inf, expected a number from 0.001 to 2"),
    ("rule: {eta: 0}", "rule.eta: found 0, expected " + ETA),
    ("rule: {eta: -0.1}", "rule.eta: found -0.1, expected " + ETA),
    ("rule: {eta: 1.001}", "rule.eta: found 1.001, expected " + ETA),
    ("rule: {eta: .nan}", "rule.eta: found nan, expected " + ETA),
    ("rule: {eta: .inf}", "rule.eta: found inf, expected " + ETA),
    ("rule: {eta: abc}", "rule.eta: found 'abc', expected " + ETA),
    ("rule: {eta: [0.1]}", "rule.eta: found [0.1], expected " + ETA),
    ("rule: {eta: }", "rule.eta: found null, expected " + ETA),
    ("rule: {x_tar: 0}", "rule.x_tar: found 0, expected a number above 0 and below 1"),
    ("rule: {x_tar: 1}", "rule.x_tar: found 1, expected a number above 0 and below 1"),
    ("rule: {a_tar: .inf}", "rule.a_tar: found inf, expected a number above 0 and at most 1,000"),
    ("rule: {a_tar: 0}", "rule.a_tar: found 0, expected a number above 0 and at most 1,000"),
    ("rule: {positive_share: 1.5}", "rule.positive_share: found 1.5, expected a number from 0 to 1"),
    ("rule: {scaling: now}", "rule.scaling: found 'now', expected lagged or instantaneous"),
    ("rule: {name: triplet, nu_pre: -1}", "rule.nu_pre: found -1, expected a number from 0 to 1"),
    ("rule: {name: 3}", "rule.name: found 3, expected the name of a rule, such as smin"),
    ("rule: {name: }", "rule.name: found null, expected the name of a rule, such as smin"),
    ("rule: smxa", "rule.name: unknown rule 'smxa'; known rules: smax, smin, triplet; did you mean 'smax'?"),
    ("rule: 3", "rule: found 3, expected keys and values"),
    ("rule: [smax]", "rule: found ['smax'], expected keys and values"),
    ("network: 3", "network: found 3, expected keys and values"),
    ("network: [1, 2]", "network: found [1, 2], expected keys and values"),
    ("network: text", "network: found 'text', expected keys and values"),
    ("network: {inhibition: none}", "network.inhibition: found 'none', expected pooled or dense"),
    ("network: {theta_step_mv: true}", "network.theta_step_mv: found true, expected a number from 0 to 100 or null"),
    ("network: {theta_step_mv: 101}", "network.theta_step_mv: found 101, expected a number from 0 to 100 or null"),
    ("network: {theta_step_mv: .nan}", "network.theta_step_mv: found nan, expected a number from 0 to 100 or null"),
    ("network: {theta_tau_ms: .inf}", "network.theta_tau_ms: found inf, expected a number above 0 and at most 1e+15"),
    ("network: {inhibition_delay_ms: 1}", "network.inhibition_delay_ms: found 1, expected 0 (pooled inhibition"),
    ("engine: Auto", "engine: found 'Auto', expected auto, standalone or runtime"),
    ("engine: 3", "engine: found 3, expected auto, standalone or runtime"),
    ("epochs: 1", "epochs: found 1, expected true or false"),
    ("shuffle: 'yes'", "shuffle: found 'yes', expected true or false"),
    ("order: sorted", "order: found 'sorted'; expected as_is, shuffled, by_class, by_data, or the path of a text file"),
    ("presentation: {intensity: 0}", "presentation.intensity: found 0, expected a number above 0 and at most 1,000"),
    ("presentation: {intensity: 40}", "presentation.max_intensity: found 32, expected at least presentation.intensity"),
    ("presentation: {stimulus_ms: 0}", "presentation.stimulus_ms: found 0, expected a number above 0"),
    ("presentation: {stimulus_ms: 0.4}", "presentation.stimulus_ms: found 0.4, expected at least dt (0.5 ms)"),
    ("presentation: {rest_ms: 5}", "presentation.rest_ms: found 5, expected at least 20 (the delays from"),
    # Since version 0.2 the sum of the delays on the way counts, not the longest: inhibition follows the input.
    (
        "{presentation: {rest_ms: 24}, network: {inhibition: dense, inhibition_delay_ms: 5}}",
        "presentation.rest_ms: found 24, expected at least 25 (the delays from an input to inhibition, one after",
    ),
    ("presentation: {min_spikes: -1}", "presentation.min_spikes: found -1, expected a whole number from 0 to"),
    ("evaluation: {test_examples: 0}", "evaluation.test_examples: found 0, expected a whole number from 1 to"),
    ("evaluation: {classifier: best}", "evaluation.classifier: found 'best', expected average, selective, "),
    # A white pixel of 255 fires at 255 / 8 * max_intensity Hz; dt 0.5 ms allows 2000 Hz.
    (
        "presentation: {max_intensity: 63}",
        "max_intensity: found 63, with which a white pixel would fire 1 times a step",
    ),
    ("presentation: {max_intensity: 100}", "(rate*dt > 1); expected at most 62.7 with dt 0.5 ms"),
    ("dt: 2", "expected at most 15.6 with dt 2 ms"),
]


@pytest.mark.parametrize(("text", "message"), IMPOSSIBLE, ids=[text for text, _ in IMPOSSIBLE])
def test_an_impossible_value_is_refused_with_key_value_and_range(tmp_path: Path, text: str, message: str) -> None:
    found = refusal(tmp_path, text)
    assert found.startswith("my.yaml: ")
    assert message in found


def test_a_rule_takes_no_boolean_for_a_number(tmp_path: Path) -> None:
    assert "rule.eta: found true" in refusal(tmp_path, "rule: {eta: true}")


@pytest.mark.parametrize("dt", [0.1, 0.25, 0.5, 1, 2])
def test_the_intensity_that_the_message_proposes_is_accepted(tmp_path: Path, dt: float) -> None:
    message = refusal(tmp_path, f"dt: {dt}\npresentation: {{max_intensity: 10000}}")
    proposed = message.split("expected at most ")[1].split()[0]
    assert load(tmp_path, f"dt: {dt}\npresentation: {{max_intensity: {proposed}}}").dt == dt


@pytest.mark.parametrize("text", ["n_e: 1", "n_e: 100000", "seed: 2147483647", "rule: {eta: 1}", "rule: {eta: 1e-9}"])
def test_values_at_the_edge_are_accepted(tmp_path: Path, text: str) -> None:
    load(tmp_path, text)


def test_all_findings_are_told_one_a_line_and_many_are_counted(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, "n_e: 0\ndt: 0\nseed: -1").splitlines()) == 3
    start = time.perf_counter()
    many = refusal(tmp_path, "".join(f"key{i}: 1\n" for i in range(7000)))
    assert len(many.splitlines()) == 11
    assert "and 6,990 findings more" in many
    assert time.perf_counter() - start < 5


def test_findings_about_the_rule_are_told_beside_the_others(tmp_path: Path) -> None:
    found = refusal(tmp_path, "n_e: 0\neta: 0.1\nrule: {eta: -1, zzz: 3}\nnetwork: {w_exc_inh: -1}").splitlines()
    keys = ["n_e: ", "network.w_exc_inh: ", "unknown key 'eta'; ", "rule.eta: ", "unknown key 'rule.zzz'; "]
    assert len(found) == len(keys)
    assert all(line.startswith(f"my.yaml: {key}") for line, key in zip(found, keys, strict=True))


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, f"n_e: {'x' * 50_000}")) < 200
    assert len(refusal(tmp_path, f"{'x' * 50_000}: 1")) < 400
    assert len(refusal(tmp_path, f"rule: {'x' * 50}")) < 200


def test_escape_sequences_of_a_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    for text in (
        r'"\e[31mred": 1',
        r'n_e: "\e[31m"',
        r'network: {"\ud800": 1}',
        r'save_name: "a\tb"',
        r'rule: "\e[1m"',
    ):
        found = refusal(tmp_path, text)
        assert found.isprintable(), text
        found.encode()


# Unknown keys


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_ex: 3", "unknown key 'n_ex'; did you mean 'n_e'?"),
        ("netwrok: {}", "unknown key 'netwrok'; did you mean 'network'?"),
        ("zzz: 3", "unknown key 'zzz'; known: n_e, rule, dt, "),
        ("min_spikes: 3", "unknown key 'min_spikes'; did you mean 'presentation.min_spikes'?"),
        ("presentation: {min_spike: 3}", "'presentation.min_spike'; did you mean 'presentation.min_spikes'?"),
        ("network: {zzz: 3}", "unknown key 'network.zzz'; known: network.inhibition, network.inhibition_delay_ms, "),
        ("network: {n_e: 3}", "unknown key 'network.n_e'; known: network.inhibition"),
        ("rule: {eat: 0.1}", "unknown key 'rule.eat'; did you mean 'rule.eta'?"),
        ("rule: {name: triplet, eta: 0.1}", "unknown key 'rule.eta'; known: rule.nu_pre, rule.nu_post"),
        ("rule: {name: smax, positive_share: 0.1}", "unknown key 'rule.positive_share'; known: rule.eta, "),
        ("rule: {parameters: 3}", "unknown key 'rule.parameters'; known: rule.eta"),
        ("rule: {model_config: 3}", "unknown key 'rule.model_config'"),
        ("rule: {__class__: 3}", "unknown key 'rule.__class__'"),
        ("rule.eta: 0.1", "unknown key 'rule.eta'; did you mean 'rule'?"),
        ("eta: 0.1", "unknown key 'eta'; did you mean 'rule.eta'?"),
        ("nu_pre: 0.1", "unknown key 'nu_pre'; did you mean 'rule.nu_pre'?"),
        ("'': 1", "unknown key ''; known: n_e"),
        ("1: 2", "unknown key 1; known: n_e"),
        ("null: 2", "unknown key null; known: n_e"),
        ("true: 2", "unknown key true; known: n_e"),
        ("1.5: 2", "unknown key 1.5; known: n_e"),
        ("network: {1: 2}", "network.1: found the key 1, expected a word"),
        ("rule: {1: 2}", "rule.1: found the key 1, expected a word"),
    ],
)
def test_an_unknown_key_is_refused_with_a_proposal(tmp_path: Path, text: str, message: str) -> None:
    found = refusal(tmp_path, text)
    assert found.startswith("my.yaml: ")
    assert message in found


# Names


@pytest.mark.parametrize("key", ["save_name", "load_name"])
@pytest.mark.parametrize(
    "name",
    [
        *("../x", "a/b", "/etc/passwd", "a\\\\b", "C:x", "..", ".", ".hidden", "end.", "a..b", "", " ", "a b", "a\\0b"),
        *(
            "x" * 101,
            "x" * 300,
            "nul",
            "CON",
            "com1",
            "lpt9.npy",
            "Aux.txt",
            "ä",
            "a\\n",
            "~",
            "*",
            "a?",
            "%s",
            "$HOME",
        ),
    ],
)
def test_a_name_that_is_no_plain_stem_is_refused(tmp_path: Path, key: str, name: str) -> None:
    found = refusal(tmp_path, f'{key}: "{name}"')
    assert found.startswith(f"my.yaml: {key}: found '")
    assert "; expected " in found
    assert len(found) < 200


@pytest.mark.parametrize("value", ["true", "4.5", "[a]", "{a: b}", ".inf"])
def test_a_name_of_a_wrong_type_is_refused(tmp_path: Path, value: str) -> None:
    assert "save_name: found " in refusal(tmp_path, f"save_name: {value}")


@pytest.mark.parametrize("name", ["a", "x" * 100, "smax_400", "smax-0.02", "conx", "null_", "a.b.c"])
def test_a_plain_stem_is_a_name(name: str) -> None:
    assert check_name(name) == name
    assert build_experiment({"save_name": name}).save_name == name


# Overrides and merging


def test_overrides_of_every_level_work_together() -> None:
    experiment = with_overrides({"n_e": 10, "rule": "smin"}, "rule.eta=0.02", "n_e=20", "network.input_delay_ms=0")
    assert (experiment.n_e, experiment.rule.name, experiment.rule.parameters["eta"]) == (20, "smin", 0.02)
    assert experiment.network.input_delay_ms == 0


@pytest.mark.parametrize("content", [{}, {"rule": "smin"}, {"rule": None}, {"rule": {"name": "smin", "eta": 0.5}}])
def test_a_rule_is_chosen_by_its_bare_name(content: dict[str, Any]) -> None:
    experiment = with_overrides(content, "rule=smax", "rule.x_tar=5e-1")
    assert experiment.rule.name == "smax"
    assert experiment.rule.parameters["x_tar"] == 0.5


def test_a_rule_by_its_bare_name_keeps_the_parameters_of_the_file() -> None:
    assert with_overrides({"rule": {"name": "smin", "eta": 0.5}}, "rule=smax").rule.parameters["eta"] == 0.5


def test_a_whole_section_can_be_replaced() -> None:
    experiment = with_overrides({"rule": {"eta": 0.5}}, "rule={name: triplet, nu_pre: 1e-3}", "network=")
    assert experiment.rule.name == "triplet"
    assert experiment.rule.parameters["nu_pre"] == 1e-3


def test_an_empty_override_clears_what_may_be_empty() -> None:
    assert with_overrides({"load_name": "a"}, "load_name=").load_name is None


def test_a_later_key_of_the_same_section_does_not_undo_an_earlier_one() -> None:
    assert merge({}, {"network.w_exc_inh": 1, "network.w_inh_exc": 2}) == {"network": {"w_exc_inh": 1, "w_inh_exc": 2}}


def test_neither_argument_of_merge_is_changed() -> None:
    content: dict[str, Any] = {"n_e": 3, "rule": {"name": "smax", "eta": 0.1}, "network": None, "presentation": {}}
    overrides: dict[str, Any] = {
        "rule.eta": 0.2,
        "rule": "smin",
        "network.w_exc_inh": 1,
        "presentation": {"rest_ms": 1},
    }
    before = copy.deepcopy((content, overrides))
    merged = merge(content, {**overrides, "presentation.rest_ms": 90})
    merged["rule"]["new"] = merged["presentation"]["new"] = 1
    assert (content, overrides) == before


def test_read_only_mappings_can_be_merged() -> None:
    content = MappingProxyType({"rule": MappingProxyType({"name": "smax"})})
    assert merge(content, {"rule.eta": 0.2}) == {"rule": {"name": "smax", "eta": 0.2}}


@pytest.mark.parametrize(
    ("content", "override"),
    [
        ({"network": [1]}, "network.w_exc_inh=1"),
        ({"rule": 3}, "rule.eta=0.1"),
        ({"n_e": 3}, "n_e.x=1"),
        ({"n_e": 0}, "n_e=1"),
        ({"rule": [["a"]]}, "rule.eta=0.1"),
        ({"rule": 3}, "rule=smax"),
        ({1: 2}, "n_e=1"),
        ({None: 2}, "n_e=1"),
        ({("a",): 2}, "n_e=1"),
        ({"network": {1: 2}}, "n_e=1"),
        ({"network": {None: [[1], [2]]}}, "n_e=1"),
        ({"rule": {("a", 1): 2}}, "n_e=1"),
        ([1], "n_e=1"),
        ({}, "n_e.x=1"),
        ({}, "network.a.b=1"),
        ({}, "rule.eta.x=1"),
        ({}, "zzz.eta=1"),
        ({}, "network=3"),
        ({}, "rule=[smax]"),
    ],
)
def test_wrong_shapes_are_refused(content: Any, override: str) -> None:
    with pytest.raises(ConfigError, match="(configuration|options): "):
        with_overrides(content, override)


@pytest.mark.parametrize("overrides", [{1: 2}, {None: 2}, [("n_e", 3)], 3, {("a",): 1}])
def test_wrong_overrides_are_refused(overrides: Any) -> None:
    with pytest.raises(ConfigError, match="overrides: "):
        merge({}, overrides)


@pytest.mark.parametrize("content", [0, 3, "", "text", [], [("n_e", 3)], False])
def test_what_is_no_mapping_is_refused(content: Any) -> None:
    with pytest.raises(ConfigError, match=r"my\.yaml: found .*, expected keys and values"):
        build_experiment(content, where="my.yaml")
    with pytest.raises(ConfigError, match=r"options: found .*, expected keys and values"):
        build_experiment({}, content)
    with pytest.raises(ConfigError, match=r"net: found .* as the experiment, expected keys and values"):
        recorded_experiment(content, "net")


# A rule that is chosen over another


def test_a_rule_that_is_chosen_keeps_what_both_have_and_drops_the_rest() -> None:
    content = {"rule": {"name": "smin", "tau_pre_ms": 30, "eta": 0.5, "positive_share": 0.6}}
    parameters = build_experiment(content, {"rule": "triplet"}).rule.parameters
    assert parameters == {**build_experiment({"rule": "triplet"}).rule.parameters, "tau_pre_ms": 30}
    assert build_experiment(content, {"rule": "smin"}).rule.parameters["positive_share"] == 0.6


def test_a_rule_file_that_an_option_replaces_does_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (tmp_path / "mine.py").write_text(f"open({str(mark)!r}, 'w').close()")
    content = {"rule": {"name": f"{tmp_path / 'mine.py'}:MINE", "gain": 3}}
    assert build_experiment(content, {"rule": "smax"}).rule.name == "smax"
    assert not mark.exists()
    with pytest.raises(ConfigError, match="no 'MINE' in it"):
        build_experiment(content)
    assert mark.exists()


# An experiment that is changed


def test_an_experiment_can_be_changed_into_another() -> None:
    first = build_experiment({"rule": {"name": "smax", "eta": 0.02}, "seed": 3})
    second = build_experiment(first, {"rule.x_tar": 0.5, "n_e": 100})
    assert (second.rule.name, second.rule.parameters["eta"], second.rule.parameters["x_tar"]) == ("smax", 0.02, 0.5)
    assert (second.seed, second.n_e) == (3, 100)
    assert build_experiment(first) == first


def test_the_usual_threshold_step_follows_the_size_and_another_stays() -> None:
    assert build_experiment(build_experiment(), {"n_e": 100}).theta_step_mv == 0.025
    own = build_experiment({"network": {"theta_step_mv": 0.07}})
    assert build_experiment(own, {"n_e": 100}).theta_step_mv == 0.07


def test_numbers_of_numpy_are_numbers() -> None:
    found = build_experiment({"n_e": np.int64(100), "dt": np.float64(0.25)}, {"rule.eta": np.float32(0.5)})
    assert found == build_experiment({"n_e": 100, "dt": 0.25, "rule": {"eta": 0.5}})
    assert type(found.n_e) is int
    with pytest.raises(ConfigError, match="n_e: found "):
        build_experiment({"n_e": np.bool_(True)})


# Examples


@pytest.mark.parametrize("module", [build, facets])
def test_the_examples_of_the_docstrings_are_true(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed
