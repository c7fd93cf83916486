"""Every command in the documentation is one that the program understands, and every link leads somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from snstdp_cli.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


def commands(page: Path) -> list[str]:
    """Return the snstdp commands of a page: lines of code blocks, and code within the text."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`(snstdp [^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    found = [*lines, *(" ".join(code.split()) for code in inline)]
    return list(dict.fromkeys(line.split(" # ")[0].split(" > ")[0] for line in found if line.startswith("snstdp ")))


ALL = [pytest.param(page, line, id=f"{page.stem}: {line}") for page in PAGES for line in commands(page)]


def test_commands_are_found() -> None:
    assert len(commands(ROOT / "README.md")) > 15


@pytest.mark.parametrize(("page", "line"), ALL)
def test_a_command_is_understood(page: Path, line: str) -> None:
    """Parse it as the program would: an unknown command, option or type of value raises."""
    words = shlex.split(line)[1:]
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        if not words or not words[0][0].isalpha():
            return
        word = words.pop(0)
        assert word in command.commands, f"{page.name}: no command '{word}' in: {line}"
        command = command.commands[word]
    if words and set(words) & {"...", "…"}:
        return
    command.make_context(command.name, words)


@pytest.mark.parametrize(("page", "line"), ALL)
def test_a_configuration_that_is_named_exists(page: Path, line: str) -> None:
    for name in re.findall(r"(?:configs|examples)/[\w/.-]+\.yaml", line):
        assert (ROOT / name).is_file(), f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("target", ["demo", "test", "check", "format", "bench"])
def test_make_has_the_targets_that_are_named(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
