"""A study file that somebody sent: looking at it runs no program; running it runs those that it names."""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from small_studies import write_study
from typer.testing import CliRunner

import snstdp_cli
from snstdp_cli.cli.app import app
from snstdp_cli.cli.study_state import finish
from snstdp_cli.errors import ConfigError
from snstdp_cli.report.study_commands import commands
from snstdp_cli.rules import load_rule, only_rule_files
from snstdp_cli.studies import StudyOutcome, load_results, load_study
from snstdp_cli.studies.results import gather_results
from snstdp_cli.studies.search.study import plan_search

EVIL = "evil.py:X"
SEARCH = {"trials": 2, "space": {"rule": [EVIL, "smin"], "rule.eta": {"from": 0.01, "to": 0.1}}}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a rule file that leaves a mark."""
    (tmp_path / "evil.py").write_text(
        "from pathlib import Path\nfrom snstdp_cli.rules import RULES\nX = RULES['smin']\nPath('mark').touch()\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", ["show", "table", "plot", "report", "script"])
@pytest.mark.parametrize(
    "keys", [{"vary": {"rule": [EVIL, "smin"]}}, {"vary": {"group": [{"rule.name": EVIL}]}}, {"search": SEARCH}]
)
def test_looking_at_a_study_runs_no_rule_in_a_file(place: Path, command: str, keys: dict[str, Any]) -> None:
    file = write_study(place, **keys)
    done = CliRunner().invoke(app, ["study", command, str(file)])
    assert not (place / "mark").exists()
    assert "vary" not in keys or (done.exit_code == 2 and f"--run-rule {EVIL}" in done.stderr)


def test_a_rule_in_a_file_is_run_if_it_is_named(place: Path) -> None:
    file = write_study(place, vary={"rule": [EVIL, "smin"]})
    done = CliRunner().invoke(app, ["study", "show", str(file), "--run-rule", EVIL])
    assert done.exit_code == 0
    assert "2 missing" in done.stdout
    assert (place / "mark").exists()


def test_a_search_runs_no_rule_that_only_its_journal_names(place: Path) -> None:
    base = {"rule": "smin", "evaluation": {"validation_examples": 2}}
    study = load_study(write_study(place, base=base, search={**SEARCH, "space": {"rule": ["smin", "smax"]}}))
    plan = plan_search(study)
    assert plan.rules == {"smin", "smax"}
    with only_rule_files(plan.rules), pytest.raises(ConfigError, match="only if you name it"):
        load_rule(EVIL, "search")
    assert not (place / "mark").exists()


def test_what_is_allowed_is_only_narrowed(place: Path) -> None:
    with only_rule_files(()), only_rule_files((EVIL,)), pytest.raises(ConfigError, match="only if you name it"):
        load_rule(EVIL, "study")
    assert load_rule(EVIL, "study").name == "smin"


@pytest.mark.parametrize("keys", [{"vary": {"rule": [EVIL, "smin"]}}, {"base": {"rule": EVIL}}])
def test_python_opens_a_study_without_running_a_rule_that_was_not_named(place: Path, keys: dict[str, Any]) -> None:
    file = write_study(place, **keys)
    for opened in (load_study, snstdp_cli.study):
        with pytest.raises(ConfigError, match=r"run_rules=\['evil.py:X'\]"):
            opened(file)
    assert not (place / "mark").exists()
    assert snstdp_cli.study(file, run_rules=[EVIL]).cells
    assert (place / "mark").exists()


def test_python_looks_at_a_search_without_running_its_rules(place: Path) -> None:
    study = snstdp_cli.study(
        write_study(place, base={"rule": "smin", "evaluation": {"validation_examples": 2}}, search=SEARCH)
    )
    with pytest.raises(ConfigError, match="only if you name it"):
        study.trials()
    assert not (place / "mark").exists()


def test_the_hint_after_a_run_names_the_rules_that_looking_needs(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/bin/snstdp")
    study = load_study(write_study(place, vary={"rule": [EVIL, "smin"]}), run_rules=None)
    finish(study, StudyOutcome((), tuple(load_results(study))), None, as_json=False, quiet=False)
    (hint,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("next: ")]
    words = shlex.split(hint.removeprefix("next: "))
    assert words[:3] == ["snstdp", "study", "show"]
    assert CliRunner().invoke(app, words[1:]).exit_code == 0


@pytest.mark.parametrize(
    "keys", [{"vary": {"group": [{"rule.name": EVIL}, {"rule": "smin"}]}}, {"base": {"rule": EVIL}}]
)
def test_the_commands_of_a_report_name_the_rules_that_looking_needs(place: Path, keys: dict[str, Any]) -> None:
    study = load_study(write_study(place, **keys), run_rules=None)
    printed = html.unescape(re.sub("<[^>]*>", "", str(commands(gather_results(study), ())[0])))
    lines = [line for line in printed.splitlines() if line.startswith("snstdp study")]
    assert len(lines) == 4
    for line in lines[1:]:
        assert f"--run-rule {EVIL}" in line
