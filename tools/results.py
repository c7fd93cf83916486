"""The published results: run small versions of their studies, and write the tables of what is finished.

python tools/results.py small                      # all studies on the bundled digits, in minutes (`make results`)
python tools/results.py publish --workdir DIR      # docs/result-tables.md from DIR/studies/, README's table, what is
                                                   # usual, and the networks that come with snstdp
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pretrained import renew_pretrained
from result_figures import draw_figures
from small_results import SIZES, STUDIES, small_studies, smaller

from snstdp_cli.errors import ConfigError
from snstdp_cli.evaluation import Classifier
from snstdp_cli.fields import percent
from snstdp_cli.studies import Study, load_study
from snstdp_cli.studies.formats import to_csv, to_markdown
from snstdp_cli.studies.intervals import Estimate
from snstdp_cli.studies.records import read_cell_record
from snstdp_cli.studies.results import StudyResults, gather_results
from snstdp_cli.studies.tables import StudyTable
from snstdp_cli.studies.text_tables import text_tables

ROOT = Path(__file__).resolve().parents[1]
#: The tables in the order of the page, with what each setting is compared with.
TABLES: dict[str, dict[str, Any]] = {
    "rules": {"rule": "triplet"},
    "large": {"rule": "triplet"},
    "passes": {"num_examples": 60_000},
    "labels": {"evaluation.assign_examples": 10_000},
    "speed": {"rule": "triplet"},
    "ablation": {"change": "defaults"},
    "fashion": {"rule": "triplet"},
    "online": {"rule": "triplet"},
    "switch": {"order": "as_is"},
    "noise": {"rule": "triplet"},
    "search_smin": {},
    "search_smax": {},
    "search_triplet": {},
    "choose": {"settings": "default"},
    "choose_size": {"settings": "default"},
    "explore": {"change": "none"},
    "tuned": {"rule": "triplet"},
    "all_labels": {"rule": "triplet"},
}
_SIGNIFICANT = 0.05
#: Studies by rule and size that README's table tells; the defaults are what a network's owner is told to be usual.
_SUMMARIZED = {"default": ("rules", "large"), "tuned": ("tuned",)}
_BEGIN, _END = "<!-- results: begin -->", "<!-- results: end -->"
USUAL = ROOT / "snstdp_cli" / "results" / "usual.csv"


def table_of(results: StudyResults, name: str) -> StudyTable:
    """Return a study's table, with differences if there is something to compare."""
    # The baseline of a small version is as small as its axis.
    baselines = [TABLES[name], {key: smaller(value, key) for key, value in TABLES[name].items()}]
    for baseline in baselines if TABLES[name] else []:
        with contextlib.suppress(ConfigError):
            compared = results.table(against=[f"{key}={value}" for key, value in baseline.items()])
            if any(one.mean is not None for one in compared.differences):
                return compared
    return results.table()


def section(study: Study, results: StudyResults, machine: str, folder: Path) -> str:
    """Return the part of the page about one study, whose figures and raw records go to a folder beside the page."""
    pictures = [f"![{one.stem}]({folder.name}/{one.name})" for one in draw_figures(results, folder)]
    command = f"snstdp study run configs/studies/results/{study.name}.yaml"
    parts = [f"## {study.name}", results.about.strip(), f"`{command}`; {machine}{made_on(study.folder)}"]
    if study.file.search is not None:
        done = [trial for trial in results.trials if trial.state == "finished"]
        early = sum(trial.state == "pruned" for trial in results.trials)
        best = max(done, key=lambda trial: trial.value or 0.0, default=None)
        parts.append(
            f"{len(done)} of {study.file.search.trials} trials have an accuracy on validation images, "
            f"{early} promised little and ended early."
        )
        if best is not None:
            settings = ", ".join(f"{key} {value}" for key, value in best.settings.items())
            parts.append(
                f"Best on validation images ({study.file.search.read_out}): {percent(best.value, 2)} with {settings}."
            )
        return "\n\n".join([*parts, *pictures])
    finished = sum(cell.state == "finished" for cell in results.cells)
    parts.append(f"{finished} of {len(results.cells)} cells are finished.")
    if finished:
        table = table_of(results, study.name)
        parts += [to_markdown(text_tables(table)).strip(), *_doubts(table), *pictures]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{study.name}.csv").write_text(to_csv(table.long_records()), encoding="utf-8")
    return "\n\n".join(parts)


def made_on(folder: Path) -> str:
    """Return the days on which the cells of a study ended, after a comma; nothing if none has."""
    records = (read_cell_record(path) for path in (folder / "cells").glob("*"))
    days = sorted({record.ended[:10] for record in records if record is not None and record.ended})
    first, last = (f"{date.fromisoformat(day):%d %B %Y}" for day in (days[0], days[-1])) if days else ("", "")
    return f", {first}" * bool(days) + f" to {last}" * (first != last)


def _doubts(table: StudyTable) -> list[str]:
    """Return what to beware of: differences that are not significant, and the table's own warnings."""
    doubts = []
    weak = [one for one in table.differences if one.p_holm is not None and one.p_holm >= _SIGNIFICANT]
    if table.differences:
        compared = sum(one.p_holm is not None for one in table.differences)
        doubts.append(
            f"Of {compared} differences {len(weak)} are **not significant** (p corrected by Holm's method for all of "
            f"them, {_SIGNIFICANT:g} or more)."
        )
    if any("linear" in name for name in table.read_outs):
        doubts.append("The read-out `linear` is trained by labels; the others use them only to name neurons.")
    return [*doubts, *(f"* {text}" for text in table.warnings)]


def write_page(
    page: Path, paths: Mapping[str, Path], workdir: Path, machine: str, head: str
) -> dict[str, StudyResults]:
    """Write the page and beside it, in a folder of its name, the figures and the raw records (CSV) of each study.

    Returns
    -------
    results
        By name, what was written about.
    """
    studies = {name: load_study(path, workdir) for name, path in paths.items()}
    results = {name: gather_results(study) for name, study in studies.items()}
    sections = [section(studies[name], found, machine, page.with_suffix("")) for name, found in results.items()]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n\n".join([head.strip(), *sections]) + "\n", encoding="utf-8")
    return results


def renew_usual(path: Path, tables: Mapping[str, StudyTable]) -> None:
    """Put the means of finished seeds into the table of what is usual, in place of those of as many or fewer seeds."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = {_usual_key(row): row for row in csv.DictReader(file)}
    for study, table in tables.items():
        for row, (read_out, found) in ((r, pair) for r in table.rows for pair in r.estimates.items()):
            if found is None:
                continue
            new = {
                "rule": row.settings["rule"],
                "n_e": row.settings["n_e"],
                "examples": 60_000,
                "data": "MNIST",
                "images": row.num_examples,
                "read_out": read_out,
                "mean": f"{found.mean:.4f}",
                "sd": "" if found.sd is None else f"{found.sd:.4f}",
                "seeds": found.num_seeds,
                "command": f"snstdp study run configs/studies/results/{study}.yaml",
            }
            known = rows.get(_usual_key(new))
            if known is None or int(known["seeds"]) <= found.num_seeds:
                rows[_usual_key(new)] = new
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(next(iter(rows.values()))), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows))


def summary(tables: Mapping[str, StudyTable], read_out: Classifier) -> str:
    """Return the table of README: a row for each rule and its settings, a column for each number of neurons.

    A cell has the mean accuracy in percent, half of its 95 % interval over the seeds, and the number of seeds.
    """
    found: dict[tuple[str, str], dict[int, Estimate]] = {}
    for settings, studies in _SUMMARIZED.items():
        for row in (row for study in studies if study in tables for row in tables[study].rows):
            if (one := row.estimates.get(read_out)) is not None:
                found.setdefault((row.settings["rule"], settings), {})[row.settings["n_e"]] = one
    lines = [
        f"| rule | settings | {' | '.join(f'{n:,} neurons' for n in SIZES)} |",
        f"|---|---|{'---:|' * len(SIZES)}",
    ]
    for (rule, settings), by_size in found.items():
        shown = [_summarized(by_size[n]) if n in by_size else "–" for n in SIZES]
        lines.append(f"| {rule} | {settings} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _summarized(one: Estimate) -> str:
    half = "" if one.ci95 is None else f" ± {100 * (one.ci95[1] - one.ci95[0]) / 2:.1f}"
    return f"{100 * one.mean:.1f}{half} ({one.num_seeds})"


def renew_readme(path: Path, tables: Mapping[str, StudyTable], machine: str) -> None:
    """Put the tables between the marks of the page."""
    before, _, rest = path.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    text = README_TEXT.format(
        selective=summary(tables, "selective"), linear=summary(tables, "linear"), machine=machine
    ).strip()
    path.write_text(f"{before}{_BEGIN}\n\n{text}\n\n{_END}{after}", encoding="utf-8")


def _usual_key(row: Mapping[str, Any]) -> tuple[int, str, str]:
    return int(row["n_e"]), row["rule"], row["read_out"]


README_TEXT = """
One pass over MNIST: 60,000 training examples (59,600 images once and 400 of them again: 400 others are withheld for
the learning curve), labels of the neurons from 10,000 training images with frozen weights, accuracy in percent on all
10,000 test images: mean over seeds, half of its 95 % interval (Student's t), and in brackets how many seeds. `default`
settings are the published ones or our defaults; `tuned` ones were chosen for 400 neurons by a search with the same
budget for each rule, on training images that were withheld ([how](docs/results.md)). No test image chose anything.

By `selective`, each neuron's spikes weighted by its selectivity; labels only name neurons:

{selective}

By `linear`, a logistic regression on the spike counts, which is trained by the labels of the same 10,000 images:

{linear}

The studies `rules.yaml` (100 and 400 neurons), `large.yaml` (1,600 and 6,400) and `tuned.yaml` in
`configs/studies/results/` make them, each by the command `study run`
({machine}).
Differences between the rules, with their intervals and corrected p-values, other read-outs, dates, and all other tables
are in [docs/result-tables.md](docs/result-tables.md).
"""
HEAD = """# All tables of the results

Made by `python tools/results.py publish` from the studies in `configs/studies/results/`; the raw records and the
figures are beside this page, in `result-tables/`. Accuracies are shares of right answers to all 10,000 test images,
labels of the neurons come from training images, and nothing was chosen on test images. Intervals are Student's over
seeds; a single seed has none, and its differences are McNemar's over images, which say nothing of other seeds.
`make results` repeats a small version of every table on the digits that come with snstdp."""
SMALL_HEAD = """# Small versions of the results

Few neurons, the bundled digits (also in the place of Fashion-MNIST), few seeds: these tables have the shape of the
published ones, not their accuracies."""


def main() -> int:
    """Run small versions, or write the page of what is finished."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["small", "publish"])
    parser.add_argument("--workdir", type=Path, default=Path("results"), help="folder of studies/")
    parser.add_argument("--only", nargs="*", choices=list(TABLES), default=list(TABLES), help="these tables")
    parser.add_argument("--machine", default=platform.machine(), help="what the page says of the machine")
    asked = parser.parse_args()
    if asked.what == "publish":
        paths = {name: STUDIES / f"{name}.yaml" for name in asked.only}
        results = write_page(ROOT / "docs" / "result-tables.md", paths, asked.workdir, asked.machine, HEAD)
        named = dict.fromkeys(name for studies in _SUMMARIZED.values() for name in studies if name in paths)
        tables = {name: results[name].table() for name in named}
        renew_usual(USUAL, {name: tables[name] for name in _SUMMARIZED["default"] if name in tables})
        renew_readme(ROOT / "README.md", tables, asked.machine)
        if "rules" in results:
            renew_pretrained(results["rules"], ROOT)
        return 0
    paths = {path.stem: path for path in small_studies(asked.workdir / "small", TABLES) if path.stem in asked.only}
    for path in paths.values():
        command = [sys.executable, "-m", "snstdp_cli", "study", "run", str(path), "--workdir", str(asked.workdir)]
        if (code := subprocess.run(command, check=False).returncode) != 0:
            return code
    page = asked.workdir / "small.md"
    write_page(page, paths, asked.workdir, asked.machine, SMALL_HEAD)
    print(f"{page}: {len(paths)} tables; their studies are in {asked.workdir / 'studies'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
