"""YAML files and single overrides as they are written."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from configurations import load, refusal

from snstdp_cli.config import MAX_CONFIG_BYTES, build_experiment, parse_override, read_file
from snstdp_cli.errors import ConfigError

# Reading


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "") == load(tmp_path, "# only a comment\n") == build_experiment()


def test_values_of_a_file_arrive_and_the_rest_keeps_its_default(tmp_path: Path) -> None:
    experiment = load(tmp_path, "n_e: 100\nrule: {name: smax, eta: 0.02}\nnetwork:\n  input_delay_ms: 0\n")
    assert experiment.n_e == 100
    assert experiment.rule.name == "smax"
    assert experiment.rule.parameters["eta"] == 0.02
    assert experiment.rule.parameters["tau_pre_ms"] == 20
    assert experiment.network.input_delay_ms == 0
    assert experiment.dt == 0.5


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbfn_e: 7\n").n_e == 7


@pytest.mark.parametrize("section", ["rule", "network", "presentation", "evaluation"])
def test_a_section_with_all_keys_commented_out_has_its_defaults(tmp_path: Path, section: str) -> None:
    assert load(tmp_path, f"{section}:\n  # nothing: 3\n") == load(tmp_path, "")


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e-3", 1e-3), ("'1e-3'", 1e-3), ("1E-3", 1e-3), ("0.5", 0.5), ("+.5", 0.5), ("1", 1), ("'1'", 1), ("1.", 1)],
)
def test_numbers_in_every_usual_notation(tmp_path: Path, text: str, number: float) -> None:
    assert load(tmp_path, f"dt: {text}\nchunk: 10\npresentation: {{max_intensity: 10}}").dt == number


@pytest.mark.parametrize("text", ["1e-3", "'1e-3'", "0.001", "1.0e-3"])
def test_numbers_of_rules_in_every_usual_notation(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, f"rule: {{eta: {text}}}").rule.parameters["eta"] == 1e-3


@pytest.mark.parametrize("text", ["20000", "20_000", "2e4", "2.0e+4", "'20000'"])
def test_whole_numbers_in_every_usual_notation(tmp_path: Path, text: str) -> None:
    found = load(tmp_path, f"num_examples: {text}").num_examples
    assert found == 20_000
    assert type(found) is int


@pytest.mark.parametrize("name", ["400", "007", "2026-01-01", "2026_01_01", "1e5", "0o17", "a.b", "x=1+y"])
def test_names_that_look_like_numbers_or_dates_stay_as_written(tmp_path: Path, name: str) -> None:
    experiment = load(tmp_path, f"save_name: {name}\nload_name: {name}\n")
    assert (experiment.save_name, experiment.load_name) == (name, name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_e: [", "line 1, column 7"),
        ("n_e: 1\n n_e: 2", "line 2"),
        ("n_e: 1\nn_e: 2", "line 2, column 1: the key 'n_e' is there twice"),
        ("rule: {eta: 0.1, 'eta': 0.2}", "the key 'eta' is there twice"),
        ("a: &x [1]\nb: *x", "line 2, column 4: aliases (*name) and tags (!name) are not accepted"),
        ("a: &x [*x]", "aliases"),
        ("n_e: !!python/object/apply:os.system ['touch owned']", "line 1, column 6: aliases (*name) and tags"),
        ("n_e: !!int '3'", "tags"),
        ("n_e: !!timestamp 'x'", "tags"),
        ("n_e: !!bool 'x'", "tags"),
        ("n_e: ! 3", "tags"),
        ("rule: !!set {eta}", "tags"),
        ("a: " + "[" * 40_000, "nested too deeply"),
        ("{a: " * 10_000, "nested too deeply"),
        ("- " * 10_000, "nested too deeply"),
        ("? " * 10_000, "nested too deeply"),
        ("n_e: 1\n---\nn_e: 2", "expected a single document"),
        ("n_e: \x07", "#x0007"),
        ("[1, 2]: 3", "unhashable key"),
        ("? {a: b}\n: 1", "unhashable key"),
        ("n_e: " + "9" * 5000, "4300 digits"),
        ("%YAML 9.9\n---\nn_e: 1", "line 1"),
        ("n_e: @x", "'@'"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    found = refusal(tmp_path, text)
    assert found.startswith(f"{tmp_path / 'my.yaml'}: not valid YAML: ")
    assert message in found
    assert len(found) < 400
    assert not Path("owned").exists()


@pytest.mark.parametrize("text", ["[1, 2]", "400", "n_e", "true", "- n_e: 3"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "expected keys and values such as 'n_e: 400', found" in refusal(tmp_path, text)


@pytest.mark.parametrize("raw", [b"n_e: \xff", "n_e: 1".encode("utf-16"), b"\x80", b"\x1f\x8b\x08"])
def test_what_is_no_utf8_is_refused(tmp_path: Path, raw: bytes) -> None:
    assert "expected UTF-8 text, found another byte at position" in refusal(tmp_path, raw)


def test_a_large_file_is_refused_without_parsing(tmp_path: Path) -> None:
    start = time.perf_counter()
    assert f"larger than {MAX_CONFIG_BYTES:,} bytes" in refusal(tmp_path, b"a: [1,\n" * 1_500_000)
    assert f"larger than {MAX_CONFIG_BYTES:,} bytes" in refusal(tmp_path, b" " * (MAX_CONFIG_BYTES + 1))
    assert time.perf_counter() - start < 2
    assert load(tmp_path, b"#" * MAX_CONFIG_BYTES).n_e == 400


@pytest.mark.parametrize("path", ["missing.yaml", "a\0b.yaml", "x" * 300 + ".yaml", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigError, match="cannot read the configuration: ") as caught:
        read_file(tmp_path / path)
    assert str(caught.value).isprintable()


def test_an_endless_device_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="larger than"):
        read_file(Path("/dev/zero"))


# Overrides


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rule.eta=0.02", ("rule.eta", 0.02)),
        (" n_e = 3", ("n_e", 3)),
        ("save_name=a=b", ("save_name", "a=b")),
        ("save_name=007", ("save_name", "007")),
        ("epochs=no", ("epochs", False)),
        ("load_name=", ("load_name", None)),
        ("rule={name: smax}", ("rule", {"name": "smax"})),
    ],
)
def test_an_override_is_a_dotted_key_and_a_yaml_value(text: str, expected: tuple[str, Any]) -> None:
    assert parse_override(text) == expected


@pytest.mark.parametrize("text", ["", "n_e", "=3", " =3", ".eta=1", "rule.=1", "rule..eta=1", ".=1"])
def test_an_override_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected KEY=VALUE, such as rule\.eta=0\.02"):
        parse_override(text)


@pytest.mark.parametrize(
    "value", ["[", "!!python/name:os.system", "&a [*a]", "[" * 5000, "{a: 1, a: 2}", "\x07", "a: b: c"]
)
def test_an_override_that_is_no_yaml_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"--set n_e=.*: not valid YAML: ") as caught:
        parse_override(f"n_e={value}")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_pipe_is_read_as_it_is_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=("n_e: 7\n",), daemon=True)
    writer.start()
    assert read_file(tmp_path / "pipe") == {"n_e": 7}
    writer.join(10)


def test_a_pipe_that_nobody_writes_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("snstdp_cli.config.files._PIPE_S", 0.05)
    with pytest.raises(ConfigError, match="nothing came out of this pipe"):
        read_file(tmp_path / "pipe")
