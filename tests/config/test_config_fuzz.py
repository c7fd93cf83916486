"""Whatever a configuration file or override contains: an `Experiment` or a `ConfigError`, and nothing is executed.

How often is tried, and how to try more: `fuzzing.py`.
"""

from __future__ import annotations

import copy
import datetime
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from fuzzing import tries
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

from snstdp_cli.config import (
    Experiment,
    build_experiment,
    commented_yaml,
    parse_override,
    read_file,
    recorded_experiment,
    setting_leaves,
)
from snstdp_cli.errors import ConfigError
from snstdp_cli.rules import RULES

#: Structures of every kind are slow to draw, large and often thrown away.
WILD = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

# What is watched

FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.remove", "os.rename", "os.mkdir")
FORBIDDEN += ("subprocess.Popen", "socket.connect", "ctypes.dlopen", "pickle.find_class")
_events: list[str] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _events is not None and (event in FORBIDDEN or (event == "open" and set(str(arguments[1])) & set("wax+"))):
        _events.append(f"{event} {arguments}")


@pytest.fixture(scope="module", autouse=True)
def _audit() -> None:
    # A hook cannot be removed; it sleeps when no configuration is read.
    sys.addaudithook(_watch)


def outcome(read: Callable[[], Experiment]) -> Experiment | ConfigError:
    """Return the experiment or the refusal; anything else raises."""
    global _events
    _events = []
    try:
        found: Experiment | ConfigError = read()
    except ConfigError as error:
        found = error
    finally:
        events, _events = _events, None
    assert events == []
    if isinstance(found, Experiment):
        assert recorded_experiment(json.loads(json.dumps(found.model_dump(mode="json"))), "again") == found
        return found
    assert found.exit_code == 2
    for line in str(found).split("\n"):
        assert line.isprintable()
        assert line.encode()
        assert 5 < len(line) < 1000
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "my.yaml"


def load(path: Path, raw: bytes) -> Experiment | ConfigError:
    path.write_bytes(raw)
    return outcome(lambda: build_experiment(read_file(path), where="my.yaml"))


# Real configurations and their edits

REAL = [
    b"n_e: 400\nrule: smax\ndt: 0.5\nseed: 1\nsave_name: smax_400\n",
    b"n_e: 100\nrule:\n  name: smin\n  eta: 0.02\n  positive_share: 0.6\npresentation: {max_intensity: 16}\n",
    b"rule:\n  name: triplet\n  nu_pre: 1e-4\nnetwork:\n  inhibition: dense\n  inhibition_delay_ms: 5\n",
    b"# comment\nepochs: false\nevaluation:\n  classifier: selective\n  test_examples: 1000\nengine: runtime\n",
    b"data: fashion-mnist\nchunk: 100\nnetwork: {theta_step_mv: 0.05, integration: euler}\nrule: {eta: 0.005}\n",
    commented_yaml(build_experiment()).encode(),
]
SECTIONS = {
    "rule": ["name", *{key for rule in RULES.values() for key in rule.parameters.model_fields}],
    "network": list(Experiment.model_fields["network"].annotation.model_fields),  # type: ignore[union-attr]
    "presentation": list(Experiment.model_fields["presentation"].annotation.model_fields),  # type: ignore[union-attr]
    "evaluation": list(Experiment.model_fields["evaluation"].annotation.model_fields),  # type: ignore[union-attr]
}
TOKENS = [
    *(
        "[",
        "]",
        "{",
        "}",
        ":",
        ": ",
        "- ",
        "? ",
        ",",
        "|",
        ">",
        "'",
        '"',
        "#",
        "%",
        "@",
        "`",
        "\n",
        "\n  ",
        "\t",
        "---\n",
    ),
    *("...\n", "&a ", "*a", "<<: ", "<<: *a", "=", "~", "null", "true", "no", "on", "y", ".nan", ".inf", "-.inf", "!"),
    *(
        "!!python/object/apply:os.system ['touch owned']",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!int ",
        "!!str ",
    ),
    *(
        "!!binary ",
        "!!timestamp ",
        "!!set ",
        "!!omap ",
        "!!float ",
        "!!bool ",
        "!<tag:yaml.org,2002:int> ",
        "%TAG ! x\n---\n",
    ),
    *(
        "%YAML 1.1\n---\n",
        "0o17",
        "017",
        "0x1F",
        "0b1",
        "1_0",
        "1:30",
        "2026-01-01",
        "1e-3",
        "1e999",
        "-0",
        "+1",
        "1.",
        ".",
    ),
    *(
        "9" * 400,
        "9" * 5000,
        "2026-13-45",
        "\x00",
        "\x1b[31m",
        "\u2028",
        "\ufeff",
        "\ufffe",
        "é",
        "😀",
        '"\\ud800"',
        '"\\0"',
    ),
    *(
        "[" * 30,
        "{a: " * 30,
        "- " * 30,
        "../x",
        "/etc/passwd",
        "CON",
        "x" * 300,
        "__class__",
        "model_config",
        "parameters",
    ),
    *(
        *Experiment.model_fields,
        "rule.eta",
        "eta",
        "n_e: 0",
        "name: smax",
        "smax",
        "smin",
        "triplet",
        "0",
        "-1",
        "0.5",
        "400",
    ),
]
RAW_TOKENS = [
    *(token.encode() for token in TOKENS),
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
]

Edit = tuple[str, float, int, bytes]
edits: st.SearchStrategy[Edit] = st.tuples(
    st.sampled_from(["insert", "replace", "delete", "repeat", "flip", "indent", "value"]),
    st.floats(0, 1),
    st.integers(0, 40),
    st.sampled_from(RAW_TOKENS) | st.binary(max_size=4),
)


def edited(raw: bytes, edit: Edit) -> bytes:
    kind, place, length, token = edit
    at = int(place * len(raw))
    if kind == "insert":
        return raw[:at] + token + raw[at:]
    if kind == "replace":
        return raw[:at] + token + raw[at + length :]
    if kind == "delete":
        return raw[:at] + raw[at + length :]
    if kind == "repeat":
        return raw[:at] + raw[at : at + length] * 3 + raw[at + length :]
    if kind == "flip":
        return raw[:at] + bytes(byte ^ 1 << length % 8 for byte in raw[at : at + 1]) + raw[at + 1 :]
    lines = raw.split(b"\n")
    row = min(int(place * len(lines)), len(lines) - 1)
    lines[row] = b" " * (length % 7) + lines[row] if kind == "indent" else lines[row].split(b":")[0] + b": " + token
    return b"\n".join(lines)


@tries(1200, *WILD)
@given(st.sampled_from(REAL), st.lists(edits, min_size=1, max_size=4))
def test_edited_configurations(path: Path, raw: bytes, changes: list[Edit]) -> None:
    for change in changes:
        raw = edited(raw, change)
    load(path, raw)


@tries(550, *WILD)
@given(st.lists(st.sampled_from(RAW_TOKENS), max_size=12).map(b"".join))
@example(b"? ? ? a")
@example(b"<<: [1, 2]")
@example(b"<<: {n_e: 3}\nn_e: 4")
@example(b"<<: {<<: {<<: 3}}")
@example(b"=: 3")
@example(b"n_e: =")
def test_strings_of_yaml_tokens(path: Path, raw: bytes) -> None:
    load(path, raw)


@tries(200, *WILD)
@given(st.binary(max_size=60))
def test_random_bytes(path: Path, raw: bytes) -> None:
    load(path, raw)


# Structures with wrong types everywhere

numbers = st.integers() | st.integers(-3, 500) | st.floats() | st.floats(0, 2) | st.just(10**400)
texts = st.sampled_from(TOKENS) | st.text(max_size=8)
dates = st.dates() | st.datetimes() | st.just(datetime.timedelta(1))
scalars = st.none() | st.booleans() | numbers | texts
strange = scalars | dates | st.binary(max_size=5) | st.sets(st.integers(), max_size=2) | st.tuples(st.integers())
keys = st.sampled_from([*Experiment.model_fields, *SECTIONS["rule"], *SECTIONS["network"]])
anything = st.recursive(
    strange,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(keys | texts | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=6,
)


def section(name: str) -> st.SearchStrategy[Any]:
    known = st.sampled_from(SECTIONS[name])
    return st.dictionaries(known | known | known | texts, scalars | anything, max_size=4) | anything


structures = st.fixed_dictionaries(
    {}, optional={key: section(key) if key in SECTIONS else scalars | anything for key in Experiment.model_fields}
) | st.dictionaries(keys | texts | st.integers(), anything, max_size=4)
writers: list[Callable[[Any], str]] = [
    yaml.dump,
    lambda value: yaml.dump(value, default_flow_style=True, allow_unicode=True),
    lambda value: yaml.dump(value, default_style='"'),
    lambda value: json.dumps(value, default=str, skipkeys=True),
]


@tries(600, *WILD)
@given(structures, st.sampled_from(writers))
def test_structures_with_wrong_types_in_a_file(path: Path, content: Any, write: Callable[[Any], str]) -> None:
    load(path, write(content).encode(errors="surrogatepass"))


@tries(400, *WILD)
@given(structures | anything)
@example({"n_e": 10**5000})
@example({"dt": -(10**5000)})
@example({"save_name": 10**5000})
@example({"rule": {"eta": 10**5000}})
@example({"\ud800": 1, "rule": {"\ud800": "\ud800"}})
@example({"save_name": "\ud800", "rule": "\ud800", "engine": "\ud800", "epochs": "\ud800"})
def test_structures_from_python(content: Any) -> None:
    outcome(lambda: build_experiment(content, where="values"))


plain = st.sampled_from(
    ["1", "0.5", "1e-3", "20", "smax", "triplet", "true", "dense", "euler", "lagged", "runtime", ""]
)
dotted = st.sampled_from([*Experiment.model_fields, *(f"{name}.{key}" for name in SECTIONS for key in SECTIONS[name])])


@tries(400, *WILD)
@given(
    st.just({}) | structures,
    st.lists(st.tuples(dotted | dotted | texts, plain | texts | scalars.map(str)), min_size=1, max_size=3),
)
def test_overrides_over_any_content(content: Any, pairs: list[tuple[str, str]]) -> None:
    def read() -> Experiment:
        overrides = dict(parse_override(f"{key}={value}") for key, value in pairs)
        return build_experiment(content, overrides)

    outcome(read)


# Records of experiments, edited

DUMPED = {
    name: build_experiment({"rule": name, "load_name": "other", "noise_seed": 3}).model_dump(mode="json")
    for name in RULES
} | {"own": {**build_experiment().model_dump(mode="json"), "rule": {"name": "mine.py:MINE", "gain": 0.5, "taus": [1]}}}
WRONG: list[Any] = [
    *([], {}, None, "", "text", True, False, float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 10**400, -1),
    *(0, [[]], {"a": 1}, {"": {}}, "../x", "\x1b[31m", "x" * 2000, [float("nan")], "x.py:Y", "\ud800", 2**31, 1e-320),
]


@pytest.mark.parametrize("name", DUMPED)
def test_a_record_with_a_wrong_value_is_an_experiment_or_a_sentence(name: str) -> None:
    for key in [*DUMPED[name], *(key for key, _ in setting_leaves(DUMPED[name]))]:
        for wrong in WRONG:
            content = copy.deepcopy(DUMPED[name])
            section, dot, field = key.partition(".")
            (content[section] if dot else content)[field or section] = wrong
            outcome(lambda content=content: recorded_experiment(content, "net"))


@tries(200, *WILD)
@given(structures | anything)
def test_records_of_any_structure(content: Any) -> None:
    outcome(lambda: recorded_experiment(content, "net"))


# Attacks

LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 20))
ATTACKS = {
    "aliases that explode": LAUGHS.encode(),
    "merge keys that explode": LAUGHS.replace("[", "{<<: [").replace("]", "]}").encode(),
    "an alias to itself": b"rule: &a {name: *a}",
    "10 MB of brackets": b"[" * 10_000_000,
    "10 MB of lines": b"n_e: 400\n" * 1_100_000,
    "10 MB of one word": b"x" * 10_000_000,
    "99 kB of brackets": b"[" * 99_000,
    "99 kB of flow keys": b"{a: " * 24_000,
    "99 kB of questions": b"? " * 49_000,
    "80 kB of steps": "".join(f"{' ' * i}a:\n" for i in range(400)).encode(),
    "40 kB of short keys": "".join(f"k{i}: 1\n" for i in range(4_000)).encode(),
    "70 kB in a section": ("rule:\n" + "".join(f"  k{i}: 1\n" for i in range(7_000))).encode(),
    "40 kB of list": b"n_e: [" + b"1," * 20_000 + b"]",
    "99 kB of commas": b"[" + b"," * 99_000,
    "99 kB of one number": b"n_e: " + b"9" * 99_000,
    "99 kB of underscores": b"n_e: 1" + b"_" * 99_000 + b"x",
    "99 kB of one fraction": b"dt: 0." + b"1" * 99_000 + b"x",
    "99 kB of one name": b"save_name: " + b"." * 99_000,
    "99 kB of quotes": b"'" * 99_000,
    "99 kB of dashes": b"n_e: " + b"-" * 99_000,
    "99 kB of colons": b"n_e: '" + b"1:" * 49_000 + b"'",
    "99 kB of anchors": b"&a " * 33_000,
    "99 kB of tags": b"! " * 49_000,
    "99 kB of blank lines": b"n_e:" + b"\n" * 99_000 + b"  'x",
    "a command": b"n_e: !!python/object/apply:os.system ['touch owned']",
    "a command as a key": b"? !!python/object/apply:os.system ['touch owned']\n: 1",
    "a new object": b"rule: !!python/object/new:subprocess.Popen [['touch', 'owned']]",
    "a module": b"rule: !!python/module:antigravity",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_soon(path: Path, name: str) -> None:
    start = time.perf_counter()
    assert isinstance(load(path, ATTACKS[name]), ConfigError)
    assert time.perf_counter() - start < 5
    assert not Path("owned").exists()
