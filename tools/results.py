"""The published results: run small versions of their studies, and write the tables of what is finished.

python tools/results.py small                      # all studies on the bundled digits, in minutes (`make results`)
python tools/results.py small --only fashion       # some of them
python tools/results.py publish --workdir DIR      # docs/result-tables.md from DIR/studies/, README's table, what is
                                                   # usual, and the networks that come with snstdp; what DIR has
                                                   # no results of stays as it is published
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from earlier_results import EarlierResults, read_earlier
from pretrained import renew_pretrained
from published import PUBLISHED, Drawn
from result_summaries import SUMMARIZED, renew_readme, renew_usual
from small_results import STUDIES, small_studies, smaller

from snstdp_cli.errors import ConfigError, SnstdpError
from snstdp_cli.fields import percent
from snstdp_cli.plots import render_figure
from snstdp_cli.plots.studies import draw_study
from snstdp_cli.studies import Study, load_study
from snstdp_cli.studies.formats import to_csv, to_markdown
from snstdp_cli.studies.records import read_cell_record
from snstdp_cli.studies.results import StudyResults, Trial, gather_results
from snstdp_cli.studies.tables import Record, StudyTable
from snstdp_cli.studies.text_tables import text_tables

ROOT = Path(__file__).resolve().parents[1]
_SIGNIFICANT = 0.05


def table_of(results: StudyResults, name: str) -> StudyTable:
    """Return a study's table, with differences if there is something to compare."""
    against = PUBLISHED[name].against
    # The baseline of a small version is as small as its axis.
    for baseline in [against, {key: smaller(value, key) for key, value in against.items()}] if against else []:
        with contextlib.suppress(ConfigError):
            compared = results.table(against=[f"{key}={value}" for key, value in baseline.items()])
            if any(one.mean is not None for one in compared.differences):
                return compared
    return results.table()


def section(study: Study, results: StudyResults, made: str, folder: Path) -> str:
    """Return the part of the page about one study, whose figures and raw records go to a folder beside the page.

    Parameters
    ----------
    made
        On which machine, and when; nothing if it was not.
    """
    for old in [*folder.glob(f"{study.name}.*.png"), folder / f"{study.name}.csv"]:
        old.unlink(missing_ok=True)
    command = f"snstdp study run configs/studies/results/{study.name}.yaml"
    told, records = _search_told(study, results) if study.file.search is not None else _table_told(results)
    if records:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{study.name}.csv").write_text(to_csv(records), encoding="utf-8")
    pictures = [
        f"![{one.stem}]({folder.name}/{one.name})"
        for one in draw_figures(results, PUBLISHED[study.name].figures, folder)
    ]
    made = f"`{command}`" + f"; {made}" * bool(made)
    return "\n\n".join([f"## {study.name}", results.about.strip(), made, *told, *pictures])


def _search_told(study: Study, results: StudyResults) -> tuple[list[str], list[Record]]:
    """Return what a search came to, in paragraphs, and a record of each trial."""
    search, trials = study.file.search, results.trials
    assert search is not None
    done = [trial for trial in trials if trial.state == "finished"]
    told = [
        f"{len(done)} of {search.trials} trials have an accuracy on validation images, "
        f"{sum(trial.state == 'pruned' for trial in trials)} promised little and ended early."
    ]
    if done:
        best = max(done, key=lambda trial: trial.value or 0.0)
        settings = ", ".join(f"{key} {value}" for key, value in best.settings.items())
        told.append(f"Best on validation images ({search.read_out}): {percent(best.value, 2)} with {settings}.")
    return told, [_trial_record(trial) for trial in trials]


def _trial_record(trial: Trial) -> Record:
    is_done = trial.state == "finished"
    measured = {"accuracy": trial.value if is_done else None, "curve_end": None if is_done else trial.value}
    return {"trial": trial.number, "state": trial.state, **measured, **trial.settings}


def _table_told(results: StudyResults) -> tuple[list[str], list[Record]]:
    """Return the tables of a study with what to beware of, in paragraphs, and a record of each cell."""
    finished = sum(cell.state == "finished" for cell in results.cells)
    told = [f"{finished} of {len(results.cells)} cells are finished."]
    if not finished:
        return told, []
    table = table_of(results, results.name)
    records = [record | {"score_on": results.score_on} for record in table.long_records()]
    return [*told, to_markdown(text_tables(table)).strip(), *_doubts(table)], records


def made_on(folder: Path, machine: str, earlier: EarlierResults) -> tuple[str, list[date]]:
    """Return on which machines the cells of a study were made, here on this one, and on which days they ended."""
    records = (read_cell_record(path) for path in (folder / "cells").glob("*"))
    ended = [date.fromisoformat(record.ended[:10]) for record in records if record is not None and record.ended]
    before, known = earlier.made(folder.name)
    return both(before or "", machine if ended else ""), sorted({*ended, *known})


def both(*machines: str) -> str:
    """Join what is said of machines, each once.

    Examples
    --------
    >>> both("an EPYC", "", "an EPYC", "a Pi")
    'an EPYC and a Pi'
    """
    return " and ".join(dict.fromkeys(filter(None, machines)))


def with_days(machines: str, days: Sequence[date]) -> str:
    """Return the machines and the first and the last day."""
    first, last = (f"{day:%d %B %Y}" for day in (days[0], days[-1])) if days else ("", "")
    return machines + f", {first}" * bool(days) + f" to {last}" * (first != last)


def draw_figures(results: StudyResults, figures: Iterable[Drawn], folder: Path) -> list[Path]:
    """Draw what a study has enough results for, as PNG, and return the files."""
    files = []
    for one in figures:
        with contextlib.suppress(SnstdpError):  # too little is finished
            figure = draw_study(results, one.kind, read_out=one.read_out, x=one.x)
            files.append(folder / f"{results.name}.{one.name}.png")
            folder.mkdir(parents=True, exist_ok=True)
            files[-1].write_bytes(render_figure(figure, "png"))
    return files


def _doubts(table: StudyTable) -> list[str]:
    """Return what to beware of: differences that are not significant, and the table's own warnings."""
    doubts = []
    for differences, told in ((table.differences, ""), (table.stage_differences, " over the stages")):
        compared = [one.p_holm for one in differences if one.p_holm is not None]
        if differences:
            weak = sum(p >= _SIGNIFICANT for p in compared)
            doubts.append(
                f"Of {len(compared)} differences{told} {weak} are **not significant** (p corrected by Holm's method "
                f"for all of them, equal ones counted once, {_SIGNIFICANT:g} or more)."
            )
    if any("linear" in name for name in table.read_outs):
        doubts.append("The read-out `linear` is trained by labels; the others use them only to name neurons.")
    return [*doubts, *(f"* {text}" for text in table.warnings)]


def write_page(
    page: Path, paths: Mapping[str, Path], workdir: Path, machine: str, head: str, earlier: EarlierResults
) -> dict[str, StudyResults]:
    """Write the page and beside it, in a folder of its name, the figures and the raw records (CSV) of each study.

    Parameters
    ----------
    earlier
        What stays where the working folder adds nothing to it.

    Returns
    -------
    results
        By name, what was written about.
    """
    studies = {name: load_study(path, workdir) for name, path in paths.items()}
    results, sections = {}, []
    for name, study in studies.items():
        measured = gather_results(study)
        results[name] = earlier.completes(measured)
        if earlier.keeps(measured):
            sections.append(earlier.sections[name])
        else:
            made = with_days(*made_on(study.folder, machine, earlier))
            sections.append(section(study, results[name], made, page.with_suffix("")))
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n\n".join([head.strip(), *sections]) + "\n", encoding="utf-8")
    return results


HEAD = """# All tables of the results

Made by `python tools/results.py publish` from the studies in `configs/studies/results/`; the raw records and the
figures are beside this page, in `result-tables/`. Accuracies are shares of right answers to all 10,000 test images, but
for the searches, choose, choose\\_size, orders, shares and explore, which are of 5,000 training images that were
withheld: these are higher, and not to be compared with the others. Labels of the neurons come from training images, and
settings were chosen on others of these. Intervals are Student's over seeds; a single seed has none, and its differences
are McNemar's over images, which say nothing of other seeds.

A study needs the data sets that it names, and snstdp with its extras `study` and `linear` (`pip install
".[study,linear]"` in a clone). `make results` repeats a small version of every table on the digits that come with
snstdp, in 11 minutes on two idle cores (26 November 2026); `python tools/results.py small --only fashion shares` that
of some."""
SMALL_HEAD = """# Small versions of the results

Few neurons, the bundled digits (also in the place of Fashion-MNIST), few seeds: these tables have the shape of the
published ones, not their accuracies."""


def main() -> int:
    """Run small versions, or write the page of what is finished."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["small", "publish"])
    parser.add_argument("--workdir", type=Path, default=Path("results"), help="folder of studies/")
    parser.add_argument(
        "--only", nargs="*", choices=list(PUBLISHED), default=list(PUBLISHED), help="small versions of these"
    )
    parser.add_argument("--machine", default=platform.machine(), help="what the page says of the machine")
    asked = parser.parse_args()
    if asked.what == "publish":
        page, paths = ROOT / "docs" / "result-tables.md", {name: STUDIES / f"{name}.yaml" for name in PUBLISHED}
        earlier = read_earlier(page)
        results = write_page(page, paths, asked.workdir, asked.machine, HEAD, earlier)
        tables = {name: results[name].table() for names in SUMMARIZED.values() for name in names}
        default = {name: tables[name] for name in SUMMARIZED["default"]}
        renew_usual(ROOT / "snstdp_cli" / "results" / "usual.csv", default)
        machines = both(*(made_on(asked.workdir / "studies" / name, asked.machine, earlier)[0] for name in tables))
        renew_readme(ROOT / "README.md", tables, machines)
        renew_pretrained(results["rules"], ROOT)
        return 0
    paths = {path.stem: path for path in small_studies(asked.workdir / "small", PUBLISHED) if path.stem in asked.only}
    for path in paths.values():
        command = [sys.executable, "-m", "snstdp_cli", "study", "run", str(path), "--workdir", str(asked.workdir)]
        if (code := subprocess.run(command, check=False).returncode) != 0:
            return code
    page = asked.workdir / "small.md"
    write_page(page, paths, asked.workdir, asked.machine, SMALL_HEAD, EarlierResults())
    print(f"{page}: {len(paths)} tables; their studies are in {asked.workdir / 'studies'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
