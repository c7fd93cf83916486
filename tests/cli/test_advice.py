"""Whatever a message tells to do can be done: commands, options and settings exist, and an advice leads on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import snstdp_cli
from snstdp_cli.cli.app import app
from snstdp_cli.config import Experiment

PACKAGE = Path(snstdp_cli.__file__).parent
#: What `snstdp` is followed by where it is no command.
PROSE = {
    "does",
    "that",
    "and",
    "before",
    "or",
    "process",
    "checkpoint",
    "again",
    "records",
    "configuration",
    "writes",
    "version",
}
#: A command with its words; a sentence ends it.
COMMAND = re.compile(r"(?P<tick>`?)\bsnstdp (?P<words>[a-z][a-z-]*(?: (?:[^\s;,`)]*[^\s;,`).:]))*)")
SETTING = re.compile(r"\b(network|presentation|evaluation)\.([a-z_]+)\b(?!\()")
#: Settings' sections are also names of rooms and of variables.
SECTIONS = {key: field.annotation for key, field in Experiment.model_fields.items()}


def texts() -> Iterator[tuple[str, str]]:
    """Yield every text of the package with its place; what is put into it later is VALUE."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        parts: set[int] = set()
        for node in ast.walk(tree):
            if id(node) in docs | parts:
                continue
            where = f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.JoinedStr):
                parts |= {id(inner) for inner in ast.walk(node)}
                yield where, "".join(str(v.value) if isinstance(v, ast.Constant) else "VALUE" for v in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield where, node.value


ALL = list(texts())
MENTIONED = [
    (where, found["tick"], found["words"]) for where, text in ALL for found in COMMAND.finditer(text.replace("\n", " "))
]


def resolve(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that words begin with, None if there is none, and the words after it."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return None, words
        command, words = command.commands[words[0]], words[1:]
    return command, words


def test_messages_are_found() -> None:
    assert len(MENTIONED) > 30
    assert len({where.partition(":")[0] for where, _, _ in MENTIONED}) > 15


@pytest.mark.parametrize(("where", "tick", "words"), MENTIONED, ids=[f"{w}: {t[:40]}" for w, _, t in MENTIONED])
def test_a_command_in_a_message_exists_with_its_options(where: str, tick: str, words: str) -> None:
    command, rest = resolve(words.split())
    if command is None:
        assert not tick, f"{where}: no command: snstdp {words}"
        assert words.split()[0] in PROSE, f"{where}: neither a command nor prose: snstdp {words}"
        return
    options = {name for parameter in getattr(command, "params", ()) for name in parameter.opts}
    for word in rest:
        if word.startswith("-"):
            assert word.partition("=")[0] in options, f"{where}: {command.name} has no {word}"


def test_every_option_that_a_message_names_belongs_to_some_command() -> None:
    known = {"--help", "--version"}

    def collect(command: Any) -> None:
        known.update(name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts))
        for inner in getattr(command, "commands", {}).values():
            collect(inner)

    collect(typer.main.get_command(app))
    for where, text in ALL:
        if where.startswith(("engines/", "report/results.py", "studies/executors/", "machine/bench/")):
            continue  # options of compilers and of batch systems, a variable of CSS
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+\b", text):
            assert option in known or option == "--results_dir", f"{where}: no command has {option}"


def test_every_setting_that_a_message_names_exists() -> None:
    for where, text in ALL:
        if " " not in text:
            continue  # no sentence: a module's name, or a part of one
        for section, name in SETTING.findall(text):
            fields: Any = SECTIONS[section]
            assert name in fields.model_fields or name == "py", f"{where}: no setting {section}.{name}"


# Followed, without a compiler


def run(command: str, folder: Path, code: int) -> str:
    """Run a command in this process; return what it told, on one line."""
    result = CliRunner().invoke(app, command.split(), env={"COLUMNS": "500"})
    told = " ".join(result.output.split())
    assert result.exit_code == code, told
    return told


@pytest.mark.parametrize(
    ("before", "refused", "advice", "follows"),
    [
        ("", "config check mine.yaml", "snstdp init mine.yaml", "config check mine.yaml"),
        ("init-weights --n-e 3 --save-name a", "init-weights --n-e 3 --save-name a", "--force", "{refused} --force"),
        ("init-weights --n-e 3 --save-name a", "init-weights --n-e 3 --save-name a", "another name", "{refused}b"),
        ("init-weights --n-e 3 --save-name abc", "explain abd", "did you mean 'abc'", "explain abc"),
        ("init-weights --n-e 3 --save-name abc", "test --load-name abd", "did you mean 'abc'", "explain abc"),
        ("init mine.yaml", "init mine.yaml", "--force", "init mine.yaml --force"),
        ("", "config show --set rule.etta=1", "rule.eta", "config show --set rule.eta=1"),
        ("", "config show --set rule=smx", "smax", "config show --set rule=smax"),
        ("", "config show --set presentation.rest_ms=5", "at least 20", "config show --set presentation.rest_ms=20"),
        ("", "config show --dt 3", "from 0.001 to 2", "config show --set dt=0.5"),
        ("init-weights --n-e 3 --save-name a", "evaluate a", "snstdp test --load-name a --split train", ""),
    ],
)
def test_following_an_advice_leads_on(
    before: str, refused: str, advice: str, follows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shutil.which", lambda *_, **__: "/bin/snstdp")
    if before:
        run(before, tmp_path, 0)
    assert advice in run(refused, tmp_path, 2)
    if advice.startswith("snstdp init"):
        run(advice.removeprefix("snstdp "), tmp_path, 0)
    if follows:
        run(follows.format(refused=refused), tmp_path, 0)
