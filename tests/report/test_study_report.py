"""The report of a study: one file that tells question, table, differences, figures, cells, failures and commands."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from made_up_study import load_correct, make_cell, make_cells

from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.report.study import render_study
from snstdp_cli.results import OnlineCourse
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.results import StudyResults, Trial
from snstdp_cli.studies.stages import Courses

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "<script>alert(1)</script>\"' & ${x}"


@dataclass(frozen=True)
class Facts:
    seconds: float = 61.0
    attempts: int = 1
    machine: str | None = "node-1"
    versions: Mapping[str, str] = field(default_factory=lambda: {"snstdp": "0.2.0"})


def load_facts(cell: CellResult | Trial) -> Facts | None:
    if cell.state != "finished":
        return None
    if isinstance(cell, Trial):
        return Facts(seconds=30.0, machine="node-2")
    return Facts(attempts=2, versions={"snstdp": "0.3.0"}) if cell.seed else Facts()


def study(**changes: object) -> StudyResults:
    cells = make_cells({(("rule", "smin"),): [0.90, 0.92], (("rule", "triplet"),): [0.80, 0.86]})
    cells.append(make_cell({"rule": "smax"}, 0, None, state="failed", error=f"it ran away {HOSTILE}"))
    known = StudyResults(
        "made-up",
        tuple(cells),
        about=f"Which rule?\n\nAnd why {HOSTILE}?",
        file=Path("my studies/it's.yaml"),
        shared={"data": "bundled", "evaluation": {"curve_every": 100}},
        load_correct=load_correct,
        load_facts=load_facts,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


class Text(HTMLParser):
    """The text of each section, by its identifier, and every element that was opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sections: dict[str, str] = {}
        self.opened: list[str] = []
        self.here = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        if tag == "section":
            self.here = dict(attrs)["id"] or ""

    def handle_data(self, data: str) -> None:
        self.sections[self.here] = self.sections.get(self.here, "") + data + " "


@pytest.fixture(scope="module")
def page() -> str:
    return render_study(study(), against=["rule=triplet"])


@pytest.fixture(scope="module")
def sections(page: str) -> dict[str, str]:
    return Text(page).sections


def test_every_part_is_there_and_linked(page: str, sections: dict[str, str]) -> None:
    expected = ["question", "result", "differences", "figures", "cells", "failures", "provenance", "commands"]
    assert re.findall(r'<section id="(\w+)"', page) == expected
    assert re.findall(r'href="#(\w+)"', page) == expected


def test_the_question_and_the_state_come_first(sections: dict[str, str]) -> None:
    assert "Which rule?" in sections["question"]
    assert "4 of 5 finished, 1 failed" in sections["question"]
    assert "test images" in sections["question"]
    assert "4 min" in sections["question"].replace("\xa0", " ")


def test_the_table_tells_means_intervals_and_what_to_beware_of(page: str, sections: dict[str, str]) -> None:
    result = sections["result"].replace("\xa0", " ")
    assert "91.00 %" in result
    assert "78.29 % to 103.71 %" in result  # 0.91 +- 12.7062 * 0.0141421 / sqrt(2)
    assert "<strong>91.00\xa0%</strong>" in page
    assert "Fewer than 5 finished seeds" in result
    assert "No finished cell (rule smax)" in result
    assert "12.5 %" in result


def test_differences_are_to_the_baseline_that_was_named(sections: dict[str, str]) -> None:
    assert "Each setting minus rule triplet, equal in all else" in sections["differences"]
    assert "+8.00" in sections["differences"]
    assert "no seed is finished for both" in sections["differences"]
    assert "all 2 comparisons" in sections["differences"]


def test_without_a_baseline_it_is_said_how_to_name_one() -> None:
    assert "--against KEY=VALUE" in Text(render_study(study())).sections["differences"]


def test_a_baseline_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="the study has no such cells"):
        render_study(study(), against=["rule=other"])


def test_each_cell_has_its_settings_and_state_and_each_failure_its_sentence(sections: dict[str, str]) -> None:
    for name in ("rule=smin-seed=0", "rule=triplet-seed=1", "rule=smax-seed=0", "node-1"):
        assert name in sections["cells"]
    assert f"it ran away {HOSTILE}" in sections["failures"]


def test_machines_versions_and_shared_settings_are_told(sections: dict[str, str]) -> None:
    assert "0.2.0 (2 cells); 0.3.0 (2 cells)" in sections["provenance"]
    assert "node-1" in sections["provenance"]
    assert "evaluation.curve_every" in sections["provenance"]


def test_commands_name_a_workdir_that_is_not_the_usual_one() -> None:
    page = Text(render_study(study(workdir=Path("my work")), against=["rule=triplet"]))
    lines = [line for line in page.sections["commands"].splitlines() if "snstdp study" in line]
    assert len(lines) == 4
    assert all("--workdir 'my work'" in line for line in lines)


def test_commands_are_quoted_for_the_shell(sections: dict[str, str]) -> None:
    assert """snstdp study run 'my studies/it'"'"'s.yaml'""" in sections["commands"]
    assert "--against rule=triplet" in sections["commands"]


def test_what_others_wrote_is_text(page: str) -> None:
    assert Text(page).opened.count("script") == 1
    assert "<script>alert" not in page


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    assert "default-src &#x27;none&#x27;" in page
    assert set(re.findall(r'(?:src|srcset)="(\w+):', page)) == {"data"}


def test_figures_are_there_for_light_and_for_dark_paper(page: str, sections: dict[str, str]) -> None:
    assert page.count("data:image/png;base64,") == 2
    assert "no learning curves" in sections["figures"]


def test_a_search_is_told_with_its_best_trials_first() -> None:
    trials = (
        Trial(0, {"rule.eta": 0.01}, 0.7, "finished", folder=Path("cells/a")),
        Trial(1, {"rule.eta": 0.02}, 0.9, "pruned"),
        Trial(2, {"rule.eta": 0.03}, 0.8, "finished", folder=Path("cells/b")),
        Trial(3, {"rule.eta": 0.04}, None, "failed", f"it ran away {HOSTILE}"),
    )
    best = Path("studies/it's/best-study.yaml")
    page = render_study(study(cells=(), trials=trials, importances={"rule.eta": 1.0}, best_study=best))
    found = Text(page).sections
    states = r"\s+(?:finished|pruned|failed)"
    assert re.findall(rf"(\d)\s+(?:\d\d\.\d\d\xa0%|–){states}", found["search"]) == ["2", "0", "1", "3"]
    assert page.count("data:image/png;base64,") == 6
    assert {"result", "differences", "cells"}.isdisjoint(found)
    assert "2 finished, 1 pruned, 1 failed" in found["question"]
    assert "training images withheld for validation" in found["question"]
    assert "test images" not in found["question"]
    # What a trial took, where and why it failed, as of any cell.
    assert "60 s" in found["question"].replace("\xa0", " ")
    assert "node-2" in found["provenance"]
    assert "0.2.0" in found["provenance"]
    assert f"it ran away {HOSTILE}" in found["failures"]
    assert "trial 3: rule.eta 0.04" in found["failures"]
    assert "study table" not in found["commands"]  # there are no cells to put into one
    assert """snstdp study run 'studies/it'"'"'s/best-study.yaml'""" in found["commands"]


def test_what_was_known_after_each_stage_is_told_where_there_were_stages(sections: dict[str, str]) -> None:
    def load(cell: CellResult) -> Courses:
        second = {"smin": 0.8, "triplet": 0.6}[cell.settings["rule"]] + 0.02 * cell.seed
        by_class = np.array([[1.0, np.nan], [0.5, second]])
        return {"selective": OnlineCourse((10, 20), (3, 5), np.array([1.0, (0.5 + second) / 2]), by_class, (1, 2))}

    found = Text(render_study(study(load_courses=load), against=["rule=triplet"])).sections
    told = " ".join(found["stages"].split())
    assert "rule after 3 after 5 mean of stages forgetting" in told
    assert "smin 100.0 ± 0.0 65.5 ± 6.4 82.8 ± 3.2 50.0 ± 0.0" in told
    assert "triplet 100.0 ± 0.0 55.5 ± 6.4 77.8 ± 3.2 50.0 ± 0.0" in told
    assert "smin mean of stages +5.00" in told
    assert "stages" not in sections


def test_a_record_that_cannot_be_read_is_told_and_the_rest_stands() -> None:
    def broken(cell: CellResult) -> Facts | None:
        raise ArtefactError(f"{cell.cell}: the record is damaged")

    found = Text(render_study(study(load_facts=broken))).sections
    assert "rule=smin-seed=0: the record is damaged" in found["provenance"]
    assert "91.00" in found["result"]


def test_a_study_that_has_not_begun_has_a_report() -> None:
    cells = make_cells({(("n_e", n),): [None, None] for n in (100, 400)})
    found = Text(render_study(study(cells=tuple(cells), about=""))).sections
    assert "0 of 4 finished, 4 missing" in found["question"]
    assert "does not say what it asks" in found["question"]
    assert "found none" in found["figures"]


@pytest.mark.skipif(BROWSER is None, reason="no Chromium found")
@pytest.mark.parametrize("width", [360, 1300])
def test_a_browser_runs_it_without_an_error_and_without_scrolling_sideways(
    page: str, tmp_path: Path, width: int
) -> None:
    probe = "document.documentElement.dataset.fits = document.documentElement.scrollWidth <= window.innerWidth;"
    (tmp_path / "page.html").write_text(
        re.sub('script-src [^"]*"', 'script-src &#x27;unsafe-inline&#x27;"', page).replace(
            "</body>", f"<script>{probe}</script></body>"
        ),
        encoding="utf-8",
    )
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
    ]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", f"--window-size={width},900"]
    address = (tmp_path / "page.html").as_uri()
    assert BROWSER is not None
    done = subprocess.run([BROWSER, *flags, "--dump-dom", address], capture_output=True, text=True, timeout=60)
    root = done.stdout[: done.stdout.index("<head>")]
    assert "data-errors" not in root
    assert 'data-fits="true"' in root
