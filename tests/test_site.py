"""The documentation site: it builds without a warning, shows every setting and option, and needs no network."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from snstdp_cli.cli.app import app
from snstdp_cli.config import build_experiment, json_schema, setting_leaves
from snstdp_cli.rules import RULES

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    place = importlib.util.spec_from_file_location("check_site", ROOT / "tools" / "check_site.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    sys.modules["check_site"] = module  # dataclasses look their module up
    place.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('<a href="other.html">x</a>', "no such file"),
        ('<a href="#there">x</a>', "no such place"),
        ('<img src="missing.png">', "no such file"),
        ('<script src="https://example.org/x.js"></script>', "from a network"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "from a network"),
    ],
)
def test_a_link_that_leads_nowhere_or_to_a_network_is_told(
    checker: ModuleType, tmp_path: Path, body: str, told: str
) -> None:
    (tmp_path / "index.html").write_text(f"<h1 id='here'>Page</h1>{body}")
    assert [told in sentence for sentence in checker.check_site(tmp_path)][:1] == [True]


def test_links_that_lead_somewhere_and_links_to_click_are_fine(checker: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<h1 id="here">Page</h1><a href="#here">x</a><a href="sub/page.html#p%C3%A4th">y</a>'
        '<a href="https://example.org">z</a><link rel="canonical" href="https://example.org">'
    )
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "page.html").write_text('<p id="päth"></p><a href="../index.html">x</a>')
    assert checker.check_site(tmp_path) == []


def test_style_that_loads_from_a_network_is_told(checker: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>x</p>")
    (tmp_path / "site.css").write_text('@font-face { src: url("https://example.org/font.woff2") }')
    assert "font.woff2 from a network" in checker.check_site(tmp_path)[0]


def test_the_reference_has_every_section_and_every_command_once() -> None:
    """Here where no Sphinx is needed: what stands below each of them is made when the site is built."""
    settings, commands = ((ROOT / "docs" / f"{name}.md").read_text() for name in ("configuration", "command-reference"))
    sections = [key for key, field in json_schema()["properties"].items() if "anyOf" in field and _is_section(field)]
    assert [name for name in sections if settings.count(f"```{{settings}} {name}\n") != 1] == []
    every: Any = typer.main.get_command(app)
    assert [name for name in every.commands if commands.count(f"```{{command}} {name}\n") != 1] == []
    rules = (ROOT / "docs" / "rules.md").read_text()
    assert [name for name in RULES if f"```{{rule-parameters}} {name}\n" not in rules] == []


def _is_section(field: dict[str, Any]) -> bool:
    return any("$ref" in choice for choice in field["anyOf"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site without running its notebooks, which `make docs` does."""
    for library in ("sphinx", "myst_nb", "furo"):
        pytest.importorskip(library, reason="the documentation's libraries are not installed: make docs")
    folder = tmp_path_factory.mktemp("site")
    options = ("-W", "--keep-going", "-q", "-D", "nb_execution_mode=off", "-d", str(folder / "trees"))
    command = [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(folder / "site")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_its_links_lead_somewhere(checker: ModuleType, site: Path) -> None:
    assert checker.check_site(site) == []
    assert len(list(site.rglob("*.html"))) > 20


@pytest.mark.slow
def test_every_setting_is_on_the_site(site: Path) -> None:
    text = (site / "configuration.html").read_text(encoding="utf-8")
    keys = [key for key, _ in setting_leaves(build_experiment({}, {}, "defaults").model_dump())]
    assert [key for key in keys if not key.startswith("rule.") and f'id="confval-{key}"' not in text] == []
    rules = (site / "rules.html").read_text(encoding="utf-8")
    for rule in RULES.values():
        assert [key for key in rule.parameters.model_fields if f">rule.{key}<" not in rules] == []


@pytest.mark.slow
def test_every_command_and_option_is_on_the_site(site: Path) -> None:
    text = (site / "command-reference.html").read_text(encoding="utf-8")
    for path, command in _commands(typer.main.get_command(app), "snstdp"):
        for option in (one for one in command.params if one.param_type_name != "argument"):
            anchor = f"cmdoption-{path}-{max(option.opts, key=len).lstrip('-')}".replace(" ", "-")
            assert f'id="{anchor}"' in text, anchor


def _commands(command: Any, path: str) -> list[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return [(path, command)]
    return [found for name, one in inner.items() for found in _commands(one, f"{path} {name}")]
