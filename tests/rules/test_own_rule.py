"""A rule in a file of the user's: how it is found, that it learns what it says, and what is said of its mistakes."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import SMALL, write_idx_set
from typer.testing import CliRunner

from snstdp_cli.artefacts import Workdir, load_weights
from snstdp_cli.cli.app import app
from snstdp_cli.config import Experiment, build_experiment, merge, read_file, recorded_experiment
from snstdp_cli.engines import Chunk, Stream, initial_state, open_engine
from snstdp_cli.engines.base import NEVER
from snstdp_cli.engines.program import program_key
from snstdp_cli.errors import ConfigError, SnstdpError
from snstdp_cli.network.wiring import draw_wiring
from snstdp_cli.recording import record_activity
from snstdp_cli.rules import Plasticity, Rule, RuleContext, find_rule
from snstdp_cli.rules.base import SYMPTOMS, RuleParameters
from snstdp_cli.rules.checking import build_plasticity, plasticity_digest, problem_of_rule
from snstdp_cli.training import init_weights, train_network

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "examples" / "own_rule" / "my_rules.py").read_text()
RULE = "my_rules.py:GRADED"
NO_CURVE = {"curve_every": 0}
ENGINES = ["runtime", pytest.param("standalone", marks=pytest.mark.compiles)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that holds the example's rule and the synthetic set; runtime engines use NumPy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("snstdp_cli.engines.runtime.find_compiler", lambda: None)
    Path("my_rules.py").write_text(SOURCE)
    return write_idx_set(tmp_path / "data")


def small(**changes: Any) -> Experiment:
    rule = {"name": RULE, "eta": 0.1, "w_max": 0.5, **changes.pop("rule", {})}
    return build_experiment(merge({**SMALL, "data": "./data", "rule": rule}, changes))


def write(text: str, old: str = "", new: str = "", name: str = "my_rules.py") -> None:
    assert old in text
    Path(name).write_text(text.replace(old, new) if old else text)


def refusal(use: Any = lambda: small().plasticity(36)) -> str:
    with pytest.raises(ConfigError) as caught:
        use()
    return str(caught.value)


# Finding it


def test_the_rule_is_found_by_file_and_name_and_completed_with_its_defaults() -> None:
    rule = find_rule(RULE, run_files=True)
    assert (rule.name, find_rule(RULE, run_files=True)) == ("graded", rule)
    settings = build_experiment({"rule": {"name": RULE, "eta": 0.5}}).rule
    assert settings.model_dump() == {"name": RULE, "eta": 0.5, "tau_pre_ms": 20.0, "w_max": 1.0}
    assert list(settings.parameters) == ["eta", "tau_pre_ms", "w_max"]
    assert small() == small()
    assert not list(Path().rglob("*.pyc"))


@pytest.mark.parametrize(
    "name", ["deep/er/own.py:GRADED", "{folder}/deep/er/own.py:GRADED", "./deep/../my_rules.py:GRADED"]
)
def test_any_path_leads_to_it(folder: Path, name: str) -> None:
    Path("deep/er").mkdir(parents=True)
    write(SOURCE, name="deep/er/own.py")
    assert find_rule(name.format(folder=folder.parent), run_files=True).title.startswith("graded")


def test_a_changed_file_is_another_rule_with_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snstdp_cli.engines.keys.compiler_version", lambda _: "1")

    def keys() -> list[str]:
        plain = build_experiment(small(), {"rule": RULE, "rule.eta": 0.01, "rule.w_max": 1.0})
        experiments = [(small(), True), (plain, True), (small(), False)]
        return [
            program_key(
                experiment,
                experiment.plasticity(36) if plastic else None,
                draw_wiring(experiment, 36),
                "",
            )
            for experiment, plastic in experiments
        ]

    before = keys()
    assert keys() == before
    write(SOURCE, "w_max * trace - w", "w_max * trace * trace - w")
    after = keys()
    assert (before[0] != after[0], before[1] != after[1], before[2] == after[2]) == (True, True, True)
    assert "trace * trace" in small().plasticity(36).on_post["learn"]


def test_the_command_line_takes_it_wherever_it_takes_a_rule() -> None:
    def told(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == code, result.output
        return result.output

    assert "w += eta * (w_max * x_pre - w)" in told("rules", RULE)
    shown = json.loads(told("config", "show", "--rule", RULE, "--set", "rule.eta=0.5", "--json"))
    assert (shown["experiment"]["rule"]["name"], shown["experiment"]["rule"]["eta"]) == (RULE, 0.5)
    told("init", "mine.yaml", "--rule", RULE)
    told("config", "check", "mine.yaml")
    assert build_experiment(read_file(Path("mine.yaml")), where="mine.yaml").rule.name == RULE
    # A parameter that another rule has is forgotten with it.
    assert json.loads(told("config", "show", "--config", "mine.yaml", "--rule", "smax", "--json"))["experiment"]["rule"]
    assert "unknown key 'rule.etaa'; did you mean 'rule.eta'" in told(
        "init", "other.yaml", "--rule", RULE, "--set", "rule.etaa=1", code=2
    )
    assert "at most 1" in told("init", "other.yaml", "--rule", RULE, "--set", "rule.eta=2", code=2)


# Learning


@pytest.mark.parametrize("engine", ENGINES)
def test_a_weight_moves_by_what_the_rule_says_for_one_spike(engine: str) -> None:
    # dt 0.5, tau 20: a trace of age 0, 8, 40 steps is 1, e^-0.2, e^-1; eta 0.1, w_max 0.5, all weights begin at 0.2:
    # 0.2 + 0.1 * (0.5 * trace - 0.2).
    experiment = small(engine=engine)
    ages = np.resize([0, 8, 40, 10**6], 36)
    expected = {0: 0.23, 8: 0.18 + 0.05 * math.exp(-0.2), 40: 0.18 + 0.05 * math.exp(-1), 10**6: 0.18}
    wiring, plasticity = draw_wiring(experiment, 36), experiment.plasticity(36)
    state = initial_state(experiment, wiring, plasticity, np.full((36, 8), 0.2))
    step = 10
    state["exc.v"], state["exc.cooldown"] = np.zeros(8), np.full(8, step + 1.0)
    arrived = np.maximum(step - ages, NEVER)
    state["input_exc.arrived"] = wiring.to_synapses(np.tile(arrived[:, None], (1, 8))).astype(np.int32)
    opened = open_engine(experiment, plasticity, wiring)
    try:
        result = opened.run(state, Chunk(0, np.zeros((1, 36), np.uint8), Stream.TRAINING))
    finally:
        opened.close()
    assert result.counts.tolist() == [[1] * 8]
    weights = wiring.to_matrix(result.state["input_exc.w"])
    wanted = np.tile(np.array([expected[age] for age in ages])[:, None], (1, 8))
    np.testing.assert_allclose(weights, wanted, rtol=0, atol=1e-14)


@pytest.mark.compiles
def test_both_engines_learn_the_same_and_record_without_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = {}
    for engine in ("runtime", "standalone"):
        workdir = Workdir(Path(engine))
        trained[engine] = train_network(small(engine=engine, save_name="own", evaluation=NO_CURVE), workdir)
    one, other = trained.values()
    # The rule evaluates exp, which differs in its last bit between libraries.
    np.testing.assert_allclose(one.weights, other.weights, rtol=0, atol=1e-15)
    assert np.array_equal(one.theta_mv, other.theta_mv)
    # Weights are means of 0.5 * trace and what they began with (up to 0.303), and the bright block is learned.
    assert one.weights.min() > 0
    assert one.weights.max() < 0.5
    assert np.ptp(one.weights) > 0.2
    # What the rule said is part of the training's identity, which both engines share.
    assert one.record.training == other.record.training is not None
    # Frozen weights need no rule: worker processes do not load it, and its file may be gone.
    Path("my_rules.py").unlink()
    monkeypatch.setenv("CXX", "/no/such/compiler")  # Cython would compile for minutes
    recorded = load_weights(Workdir(Path("runtime")), "own").record
    assert recorded is not None
    experiment = recorded.experiment
    assert (experiment.rule, experiment.rule.at_hand) == (one.experiment.rule, None)
    responses, _ = record_activity(experiment, Workdir(Path("runtime")), "own", "test", workers=2)
    assert responses.counts.shape == (10, 8)


def test_a_training_is_not_resumed_with_a_changed_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from snstdp_cli.engines.runtime import RuntimeEngine

    original, calls = RuntimeEngine.run, []

    def run(engine: RuntimeEngine, state: Any, chunk: Chunk) -> Any:
        calls.append(chunk)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(engine, state, chunk)

    monkeypatch.setattr(RuntimeEngine, "run", run)
    settings = {"engine": "runtime", "save_name": "cut", "evaluation": NO_CURVE}
    with pytest.raises(SnstdpError, match="interrupted after 4"):
        train_network(small(**settings), Workdir(Path()))
    write(SOURCE, "w_max * trace - w", "w_max * trace * trace - w")
    with pytest.raises(ConfigError, match=r"begun with other settings \(different: what the rule says\)"):
        train_network(small(**settings), Workdir(Path()), resume=True)
    write(SOURCE)
    assert train_network(small(**settings), Workdir(Path()), resume=True).record.figures.examples == 10


def test_settings_of_a_record_can_be_tested_and_are_trained_only_if_the_rule_is_named() -> None:
    recorded = recorded_experiment(small().model_dump(mode="json"), "net")
    assert recorded == small()
    unnamed = (
        "the settings come from a file or a record, and a rule of your own is a program that runs only if you name it"
    )
    assert unnamed in refusal(lambda: recorded.plasticity(36))
    assert unnamed in refusal(lambda: init_weights(recorded, Workdir(Path()), "w", 36))
    # The file that is there now is the rule, whatever it was then; a training knows its own by what it said.
    write(SOURCE, "w_max * trace - w", "w_max * trace * trace - w")
    assert "trace * trace" in build_experiment(recorded, {"rule": RULE}).plasticity(36).on_post["learn"]
    Path("my_rules.py").unlink()
    assert "my_rules.py: no such file" in refusal(lambda: build_experiment(recorded, {"rule": RULE}))


# Files that it imports


def test_a_rule_is_never_older_than_a_module_that_its_file_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    late = "    from late_helper import more\n    return Plasticity("
    write(
        SOURCE.replace("    return Plasticity(", late).replace('"w_max": parameters.w_max', '"w_max": factor * more'),
        "from pydantic import Field\n",
        "from pydantic import Field\nfrom own_helper import factor\n",
    )

    def built() -> Plasticity:
        return small().plasticity(36)

    digests = []
    for factor, more, product in ((2, 3, 6), (5, 3, 15), (5, 7, 35)):
        Path("own_helper.py").write_text(f"factor = {factor}\n")
        Path("late_helper.py").write_text(f"more = {more}\n")
        assert built().constants["w_max"] == product
        assert find_rule(RULE, run_files=True) is find_rule(RULE, run_files=True)
        digests.append(plasticity_digest(built()))
    assert len(set(digests)) == 3
    assert not {"own_helper", "late_helper"} & sys.modules.keys()
    assert not list(Path().rglob("*.pyc"))


def test_a_module_that_the_users_program_imported_itself_stays_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("session_helper.py").write_text("factor = 2\n")
    import session_helper  # type: ignore[import-not-found]

    write(SOURCE, "from pydantic import Field\n", "from pydantic import Field\nimport session_helper\n")
    find_rule(RULE, run_files=True)
    assert sys.modules.pop("session_helper") is session_helper


# A rule that is a value


class SteadyParameters(RuleParameters):
    eta: float = 0.1


STEADY = Rule(
    name="steady",
    title="weights move towards 1",
    equations=("w += eta * (1 - w)",),
    citation="none",
    notes="a test",
    parameters=SteadyParameters,
    build=lambda parameters, context: Plasticity(on_post={"learn": "w += eta * (1 - w)"}, constants=vars(parameters)),
    advice={"silent": "a larger rule.eta"},
)


def test_a_rule_given_as_a_value_is_checked_like_one_in_a_file() -> None:
    def changed(**fields: Any) -> Rule:
        return dataclasses.replace(STEADY, **fields)

    def used(rule: Rule, **values: Any) -> Plasticity:
        return build_experiment({"rule": rule}, {f"rule.{key}": value for key, value in values.items()}).plasticity(36)

    assert used(STEADY, eta=0.5).constants == {"eta": 0.5}
    refused: list[tuple[Any, str]] = [
        ("smin", "is of type str, expected a Rule"),
        (changed(build=None), "has a build that is no function"),
        (changed(equations="w += 1"), "has equations of type str, expected a tuple of lines"),
        (changed(notes=None), "has notes of type NoneType, expected text"),
        (changed(name="a\nb"), "has name that cannot be shown: a\\nb"),
    ]
    for rule, message in refused:
        assert problem_of_rule(rule).startswith(message)
    broken = changed(build=lambda parameters, context: Plasticity(on_post={"learn": "w += etta"}))
    assert problem_of_rule(broken) == ""
    assert refusal(lambda: used(broken)).startswith("steady: on_post 'learn': unknown name 'etta'")
    assert "rule.eta: found 'x'" in refusal(lambda: used(STEADY, eta="x"))
    assert "unknown key 'rule.etta'" in refusal(lambda: used(STEADY, etta=1))


def test_the_identity_of_a_rule_is_what_it_builds_to() -> None:
    plain = Plasticity(on_post={"a": "w += x", "b": "w = 0"}, constants={"x": 1, "y": 2})
    same = [
        Plasticity(on_post={"a": "  w += x\n", "b": "w = 0"}, constants={"y": 2.0, "x": 1.0}),
        dataclasses.replace(plain, bounds=(-math.inf, math.inf)),
    ]
    others = [
        Plasticity(on_post={"b": "w = 0", "a": "w += x"}, constants={"x": 1, "y": 2}),
        *(
            dataclasses.replace(plain, **{key: value})
            for key, value in {
                "on_pre": "w = 0",
                "reset": "x = 0",
                "constants": {"x": 1, "y": 3},
                "neuron_variables": {"z": 0},
                "traces": {"z": 20},
                "normalize_to": 78,
                "l1_target": 78,
                "bounds": (0, 1),
            }.items()
        ),
    ]
    assert {plasticity_digest(value) for value in same} == {plasticity_digest(plain)}
    assert len({plasticity_digest(value) for value in (plain, *others)}) == 10


def test_no_rule_advises_a_parameter_that_it_has_not() -> None:
    from snstdp_cli.rules import RULES

    for rule in RULES.values():
        assert problem_of_rule(rule) == ""
        assert {"silent", "runaway", "norm too high"} <= rule.advice.keys() <= set(SYMPTOMS)
    assert "eta" not in RULES["triplet"].advice["norm too high"]


# Mistakes in the file


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_rules.py:GRADED", r"no_rules.py: no such file \(looked for in /.+\); expected a Python file with a rule"),
        ("my_rules.py", r"found 'my_rules.py', expected a file and a name in it, such as my_rules.py:MY_RULE"),
        ("my_rules.py:", r"found 'my_rules.py:', expected a file and a name"),
        ("my_rules.py:GRADE", r"my_rules.py: no 'GRADE' in it; expected the name of a Rule; it has: GRADED"),
        ("my_rules.py:build", r"my_rules.py: build is of type function, expected a Rule; see docs/own-rule.md"),
        ("data.py:X", r"data.py: is no regular file; expected|data.py: is no regular file \(looked"),
        ("empty.py:X", r"empty.py: no 'X' in it; expected the name of a Rule; it has no rule at all"),
        ("large.py:X", r"large.py: larger than 1,000,000 bytes"),
        ("a\0b.py:X", r"found 'a\\x00b.py:X', expected at most 1,000 printable characters$"),
        ("\x1b[31m.py:X", r"found '\\x1b\[31m.py:X', expected at most 1,000 printable characters$"),
        ("a" * 5000 + ".py:X", r"found 'a+\.\.\., expected at most 1,000 printable characters$"),
        ("a" * 900 + ".py:X", r"rule.name: a+\.\.\.: cannot be read: File name too long"),
        ("my_rules.py:" + "a" * 900, r"my_rules.py: no 'a+\.\.\.' in it"),
    ],
)
def test_a_name_that_leads_to_no_rule_is_refused(name: str, message: str) -> None:
    Path("data.py").mkdir()
    Path("empty.py").touch()
    Path("large.py").write_text("#" * 1_000_001)
    found = refusal(lambda: build_experiment({"rule": name}, where="my.yaml"))
    assert found.startswith("my.yaml: rule.name: ")
    assert re.search(message, found), found
    assert found.isprintable()
    assert len(found) < 700


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "GRADED = Rule(",
            "import nothing_of_this_name\nGRADED = Rule(",
            r"ModuleNotFoundError: No module .*\(line \d+\)$",
        ),
        (
            "GRADED = Rule(",
            "1 / 0\nGRADED = Rule(",
            r"cannot be loaded: ZeroDivisionError: division by zero \(line 4\d\)$",
        ),
        ("GRADED = Rule(", "import sys; sys.exit()\nGRADED = Rule(", r"cannot be loaded: SystemExit"),
        ("GRADED = Rule(", "GRADED = = Rule(", r"SyntaxError: invalid syntax \(my_rules.py, line 4\d\)"),
        (
            "parameters=GradedParameters",
            "parameters=dict",
            r"GRADED has parameters that are no class derived from Rule",
        ),
        ("build=build", "build=3", r"GRADED has a build that is no function"),
        ('title="graded', "title=3, #", r"GRADED has title of type int, expected text"),
        ('title="graded', 'title="\\x1b[31m', r"GRADED has title that cannot be shown: \\x1b\[31m"),
        ('name="graded"', 'name=""', r"GRADED has the name ''; expected 1 to 100 characters"),
        ("    equations=(", "    equations=3, notes=(", r"SyntaxError: keyword argument repeated"),
        ("    advice={", "    advice=['x'] or {", r"GRADED has advice of type list, expected symptoms"),
        (
            '"silent": "a larger rule.w_max"',
            '"sad": "x"',
            r"GRADED has advice for 'sad'; known symptoms: sile",
        ),
        (
            '"silent": "a larger rule.w_max"',
            '"silent": "a larger rule.a_tar"',
            r"GRADED advises rule.a_tar for 'silent', which it has not; it has: eta, tau_pre_ms, w_max",
        ),
        (
            "    w_max: Number",
            "    name: Number",
            r"GRADED has a parameter called 'name', which is the configuration's",
        ),
    ],
)
def test_a_file_that_fails_to_load_is_refused_with_the_line(old: str, new: str, message: str) -> None:
    write(SOURCE, old, new)
    modules = set(sys.modules)
    found = refusal(lambda: find_rule(RULE, "my.yaml", run_files=True))
    assert ("cannot be loaded" in found) == (set(sys.modules) == modules)
    assert found.startswith("my.yaml: rule.name: my_rules.py: ")
    assert re.search(message, found), found


EQUATION = "w += eta * (w_max * trace - w)"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    return Plasticity(", "    return dict(", r"build returned dict, expected a Plasticity"),
        (
            "    return Plasticity(",
            "    return 1 / 0, Plasticity(",
            r"build failed: ZeroDivisionError: .* \(line 2\d\)",
        ),
        ("return Plasticity(", "return Plasticity(on_prey='',", r"build failed: TypeError: .*on_prey"),
        (EQUATION, "w += eta * (w_max * trase - w)", r"on_post 'learn': unknown name 'trase'; did you mean 'trace'\?"),
        (EQUATION, "w += eta * (w_max * trace - w", r"on_post 'learn': Brian 2 does not accept it: "),
        (EQUATION, "if trace > 0: w = 1", r"on_post 'learn': Brian 2 does not accept it: "),
        (EQUATION, "w += eta * v_post", r"Brian 2 does not accept it: .*'eta \* v_post' has unit V"),
        (EQUATION, "w += trace + theta_post / volt + 1 / ms", r"Brian 2 does not accept it"),
        (EQUATION, "w += strength(trace)", r"unknown name 'strength'"),
        (EQUATION, "eta = w", r"'eta' cannot be changed"),
        (EQUATION, "arrived -= 1", r"'arrived' cannot be changed"),
        (EQUATION, "w = 1e400", r"on_post 'learn': a number in it is larger than a computer can hold"),
        (EQUATION, "w = rand()", r"'rand' draws random numbers that no seed repeats"),
        (EQUATION, "x_pre = w", r"'x_pre' is no name for a variable of these statements"),
        ('"learn":', '"pre":', r"on_post: found the key 'pre', expected another name"),
        ("on_post={", 'on_pre="w -= b",\non_post={', r"on_pre: unknown name 'b'"),
        ("on_post={", 'reset="w = 0",\non_post={', r"reset: 'w' cannot be changed here"),
        ("on_post={", "reset=3,\non_post={", r"reset: found int, expected statements as text"),
        ("on_post={", 'neuron_variables={"ge": 1},\non_post={', r"neuron_variables: 'ge' is a name of the network"),
        (
            "on_post={",
            'traces={"x": 1}, neuron_variables={"tau_x": 1},\non_post={',
            r"'tau_x' is a name of the network",
        ),
        ("on_post={", 'traces={"eta": 1},\non_post={', r"constants: 'eta' is in traces already"),
        ("on_post={", 'traces={"x": 0},\non_post={', r"traces: x: found 0, expected its time constant in ms, above 0"),
        ("on_post={", 'neuron_variables={"a b": 1},\non_post={', r"neuron_variables: found 'a b', expected a name"),
        ("on_post={", 'neuron_variables={"a": float("nan")},\non_post={', r"a: found nan, expected a finite number"),
        (
            "on_post={",
            "neuron_variables=3,\non_post={",
            r"neuron_variables: found int, expected names with their values",
        ),
        ("on_post={", "normalize_to=-1,\non_post={", r"normalize_to: found -1, expected a number above 0, or None"),
        (
            "bounds=(0.0, max(parameters.w_max, 1.0))",
            "bounds=(1, 0)",
            r"bounds: found \(1, 0\), expected the least and",
        ),
        ("bounds=(0.0, max(parameters.w_max, 1.0))", "bounds='01'", r"bounds: found '01', expected the least and"),
        ("on_post={", 'traces=3, neuron_variables={"a": 1},\non_post={', r"traces: found int, expected names with"),
        (
            "on_post={",
            'neuron_variables={"a": 10**400},\non_post={',
            r"a: found 1000.*\.\.\., expected a finite number",
        ),
        ("on_post={", 'neuron_variables={"a": True},\non_post={', r"a: found True, expected a finite number"),
        ("on_post={", "l1_target='78',\non_post={", r"l1_target: found '78', expected a number above 0, or None"),
        ("on_post={", "on_pre=None,\non_post={", r"on_pre: found NoneType, expected statements as text"),
        ('"eta": parameters.eta', '"\\x1b[31m": 1', r"constants: found '\\x1b\[31m', expected a name of letters"),
        (
            "    return Plasticity(",
            "    raise ValueError('\\x1b[31m')\n    return Plasticity(",
            r"ValueError: \\x1b\[31m \(line 2\d\)",
        ),
    ],
)
def test_what_brian_or_the_network_cannot_take_is_refused_before_anything_is_built(
    old: str, new: str, message: str
) -> None:
    write(SOURCE, old, new)
    found = refusal()
    assert found.startswith("my_rules.py:GRADED: ")
    assert re.search(message, found), found
    # The command that checks a rule finds it too, without a network.
    assert CliRunner().invoke(app, ["rules", RULE]).exit_code == 2


def test_statements_may_use_all_that_the_documentation_promises() -> None:
    new = (
        'on_pre="w -= eta * post1_post * int(calm_post > 0) * exp(-v_post / mV) * (t / ms > 3)",\n'
        'traces={"post1": 20.0}, neuron_variables={"calm": 1.0},\n'
        'reset="post1 = 1; calm = clip(calm + ge / w_max, 0, 1)",\n'
    )
    write(SOURCE, "        on_post={", new + "        on_post={")
    assert small().plasticity(36).traces == {"post1": 20.0}


def test_every_rule_of_the_package_would_pass_the_checks() -> None:
    from snstdp_cli.rules import RULES

    for name, rule in RULES.items():
        assert build_plasticity(name, rule, rule.parameters(), RuleContext(0.5, 36)).on_post


# The documentation


def test_the_example_has_a_configuration_that_fits_it() -> None:
    shutil.copytree(ROOT / "examples", "examples")
    experiment = build_experiment(read_file(Path("examples/own_rule/graded.yaml")), where="graded.yaml")
    assert experiment.rule.name == "examples/own_rule/my_rules.py:GRADED"
    text = (ROOT / "docs" / "own-rule.md").read_text()
    assert f"snstdp rules {experiment.rule.name}" in text
    assert "snstdp run --config examples/own_rule/graded.yaml --seed 0" in text
    assert len(SOURCE.splitlines()) < 70
