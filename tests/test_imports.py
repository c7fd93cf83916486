"""Data flows one way: an import points down, only the command line prints or exits, and a new rule is one new file."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import snstdp_cli

PACKAGE = Path(snstdp_cli.__file__).parent
NAME = PACKAGE.name
#: From the bottom to the top; a module imports only what is in an earlier line. `""` is the package's own `__init__`.
ORDER = (
    *(
        "",
        "bundled",
        "errors",
        "signals",
        "matplotlib_import",
        "brian_import",
        "fields",
        "rules",
        "config",
        "datasets",
        "network",
        "engines",
    ),
    *("evaluation", "artefacts", "progress", "events", "recording", "training", "results", "pipeline"),
    *("hardware", "studies", "plots", "report", "machine", "cli", "api", "__main__"),
)
#: Modules that may import little more than what they need by their nature.
ONLY = {
    "errors": set[str](),
    "fields": {"errors"},
    "rules": {"errors", "fields", "brian_import"},
    "config": {"errors", "fields", "rules"},
    "evaluation": {"errors", "fields"},
    "network": {"errors", "config", "rules", "brian_import"},
}
FORBIDDEN_CALLS = {"eval", "exec", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "marshal.loads"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "jsonpickle"}
VOICES = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "sys.stdout.write", "sys.stderr.write"}
#: A worker process, which no user sees, ends itself when the one that started it is gone.
SILENT_EXITS = {("recording/recorder.py", "os._exit")}
VOICE_MODULES = {"typer", "click", "rich"}

Sources = dict[Path, ast.Module]


def sources(folder: Path = PACKAGE) -> Sources:
    return {path.relative_to(folder): ast.parse(path.read_text(), str(path)) for path in sorted(folder.rglob("*.py"))}


def part_of(path: Path) -> str:
    """Return the module of the first level that a file belongs to: `engines` for engines/base.py."""
    return path.parts[0].removesuffix(".py").replace("__init__", "")


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything imported, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def calls(tree: ast.Module) -> Iterator[tuple[int, str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func), node


def own_imports(path: Path, tree: ast.Module, parts: set[str]) -> Iterator[tuple[int, str]]:
    """Yield line and first-level module of the imports from this package."""
    for line, name in imports(tree):
        first, _, rest = name.partition(".")
        if first == NAME:
            part = rest.split(".")[0]
            yield line, part if part in parts else ""


def upward(found: Sources) -> list[str]:
    """Return the imports that point up, and the modules that have no place."""
    parts = {part_of(path) for path in found}
    wrong = [f"{part or NAME}: not in ORDER; give it its place" for part in sorted(parts) if part not in ORDER]
    for path, tree in found.items():
        here = part_of(path)
        if not here:
            continue  # the public names, which are loaded when they are used
        for line, there in own_imports(path, tree, parts):
            known = {here, there} <= set(ORDER)
            if here != there and known and ORDER.index(there) >= ORDER.index(here):
                wrong.append(f"{path}:{line}: {here} imports {there}, which is above it")
            if here != there and there and there not in ONLY.get(here, {there}):
                wrong.append(f"{path}:{line}: {here} imports {there}; it may import {', '.join(sorted(ONLY[here]))}")
    return wrong


def unsafe(found: Sources) -> list[str]:
    """Return what could run code that a file brings along."""
    wrong = []
    for path, tree in found.items():
        wrong += [f"{path}:{line}: {name}" for line, name in imports(tree) if name.split(".")[0] in FORBIDDEN_MODULES]
        for line, name, call in calls(tree):
            if name in FORBIDDEN_CALLS:
                wrong.append(f"{path}:{line}: {name}")
            for keyword in call.keywords:
                if keyword.arg in ("allow_pickle", "shell") and ast.unparse(keyword.value) != "False":
                    wrong.append(f"{path}:{line}: {keyword.arg}={ast.unparse(keyword.value)}")
    return wrong


def loud(found: Sources) -> list[str]:
    """Return what prints or exits outside the command line."""
    wrong = []
    for path, tree in found.items():
        if part_of(path) in ("cli", "__main__"):
            continue
        wrong += [f"{path}:{line}: {name}" for line, name in imports(tree) if name.split(".")[0] in VOICE_MODULES]
        heard = [(line, name) for line, name, _ in calls(tree) if name in VOICES]
        wrong += [f"{path}:{line}: {name}" for line, name in heard if (path.as_posix(), name) not in SILENT_EXITS]
        raised = (node for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc is not None)
        wrong += [
            f"{path}:{node.lineno}: SystemExit" for node in raised if "SystemExit" in ast.unparse(node.exc or node)
        ]
    return wrong


PARTS = ("bundled", "errors", "config", "datasets", "rules", "engines", "training", "cli")


def test_an_import_points_down() -> None:
    found = sources()
    assert len(found) > 40
    assert upward(found) == []


def test_the_table_for_contributors_has_every_part_in_this_order() -> None:
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
    table = text[text.index("| in `snstdp_cli/`") : text.index("| to add | go to |")]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = [name.removesuffix("/") for cell in cells for name in re.findall("`([^`]+)`", cell)]
    assert told == [part for part in ORDER if part not in ("", "__main__")] + ["__init__"]


def test_only_the_command_line_prints_or_exits() -> None:
    assert loud(sources()) == []


def test_no_file_that_is_read_can_run_code() -> None:
    assert unsafe(sources()) == []


@pytest.mark.parametrize(
    ("path", "text", "check", "message"),
    [
        ("rules/x.py", "from snstdp_cli.config import Experiment", upward, "rules imports config, which is above it"),
        ("rules/x.py", "from snstdp_cli import config", upward, "rules imports config, which is above it"),
        ("rules/x.py", "def f():\n    import snstdp_cli.engines", upward, "x.py:2: rules imports engines, which is"),
        (
            "config/x.py",
            "import snstdp_cli.bundled",
            upward,
            "config imports bundled; it may import errors, fields, rules",
        ),
        ("training/x.py", "from snstdp_cli.cli import app", upward, "training imports cli, which is above it"),
        ("novelty.py", "", upward, "novelty: not in ORDER; give it its place"),
        ("engines/x.py", "print(1)", loud, "x.py:1: print"),
        ("engines/x.py", "import sys\nsys.exit(1)", loud, "x.py:2: sys.exit"),
        ("engines/x.py", "raise SystemExit(3)", loud, "x.py:1: SystemExit"),
        ("engines/x.py", "from rich.console import Console", loud, "x.py:1: rich.console.Console"),
        ("cli/x.py", "import pickle", unsafe, "x.py:1: pickle"),
        ("datasets/x.py", "np.load(f, allow_pickle=True)", unsafe, "x.py:1: allow_pickle=True"),
        ("datasets/x.py", "yaml.load(f)", unsafe, "x.py:1: yaml.load"),
        ("datasets/x.py", "eval('1')", unsafe, "x.py:1: eval"),
    ],
)
def test_the_checks_find_what_they_look_for(tmp_path: Path, path: str, text: str, check: object, message: str) -> None:
    for part in PARTS:
        (tmp_path / f"{part}").mkdir()
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    for part in PARTS:
        (tmp_path / part / "__init__.py").touch()
    (tmp_path / "__init__.py").touch()
    assert callable(check)
    assert check(sources(tmp_path)) == []
    file.write_text(text)
    found = check(sources(tmp_path))
    assert len(found) >= 1
    assert any(message in finding for finding in found), found


def test_a_command_that_only_looks_imports_neither_brian_nor_figures() -> None:
    """`--help` must answer in under half a second; a time would depend on the machine."""
    code = (
        "import sys; from snstdp_cli.cli.app import app; import snstdp_cli.rules, snstdp_cli.datasets, "
        "snstdp_cli.config; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {"brian2", "matplotlib", "pooch", "sympy"} & set(done.stdout.split())


# A fourth rule

FOURTH = """
from snstdp_cli.rules.base import Plasticity, Rule, RuleParameters


class Parameters(RuleParameters):
    eta: float = 0.25


def build(parameters, context):
    return Plasticity({"learn": "w = clip(w + eta, 0, 1)"}, constants={"eta": parameters.eta}, bounds=(0.0, 1.0))


RULES = (Rule("fourth", "a fourth rule", ("w += eta",), "none", "For a test.", Parameters, build),)
"""


def test_a_fourth_rule_is_one_new_file_and_nothing_else(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / NAME, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / NAME / "rules" / "fourth.py").write_text(FOURTH)
    code = """if True:
        import sys
        import snstdp_cli
        from typer.testing import CliRunner
        from snstdp_cli.cli.app import app
        from snstdp_cli.config import build_experiment, json_schema
        from snstdp_cli.rules import RULES
        print(snstdp_cli.__file__)
        print(*RULES)
        experiment = build_experiment({"rule": "fourth"})
        print(experiment.rule, experiment.plasticity(9).constants)
        print("rule_fourth" in json_schema()["$defs"])
        for arguments in (["rules"], ["config", "show", "--rule", "fourth"], ["rules", "forth"]):
            result = CliRunner().invoke(app, arguments)
            print(result.exit_code, result.output)
        """
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    where, names, settings, in_schema, *told = done.stdout.splitlines()
    assert Path(where).is_relative_to(tmp_path)
    assert names.split() == ["fourth", "smax", "smin", "triplet"]
    assert settings == "name='fourth' eta=0.25 {'eta': 0.25}"
    assert in_schema == "True"
    assert told[0] == "0 fourth  a fourth rule"
    shown = "\n".join(told)
    assert "rule.eta" in shown
    assert "did you mean 'fourth'?" in shown
