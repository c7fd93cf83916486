"""README's table of the results, and the table of what is usual that comes with snstdp."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from small_results import SIZES

from snstdp_cli.evaluation import Classifier
from snstdp_cli.studies.intervals import Estimate
from snstdp_cli.studies.tables import StudyTable

#: Studies by rule and size that README's table tells; the defaults are what a network's owner is told to be usual.
SUMMARIZED = {"default": ("rules", "large"), "tuned": ("tuned",), "tuned, file order": ("file_order",)}
#: By which read-outs.
_TOLD: tuple[Classifier, ...] = ("average", "selective", "linear")
_BEGIN, _END = "<!-- results: begin -->", "<!-- results: end -->"
_README_TEXT = """
One pass over MNIST: 60,000 training examples (59,600 images once and 400 of them again: 400 others are withheld for
the learning curve), labels of the neurons from 10,000 training images with frozen weights, accuracy in percent on all
10,000 test images: mean over seeds, half of its 95 % interval (Student's t), and in brackets how many seeds. `default`
settings are the published ones or our defaults; `tuned` ones were chosen for 400 neurons by a search with the same
budget for each rule, on training images that were withheld, and shuffle the training images; `tuned, file order` are
the same in the order of MNIST's files, as with `default` ([how they were chosen, and what was known of test images
then](docs/results.md#how-the-tuned-settings-were-chosen)).

By `average`, the class whose neurons fire most, as Diehl & Cook do; labels only name neurons:

{average}

By `selective`, where each spike tells how much more than chance its neuron answers to a class (naive Bayes, ours):

{selective}

By `linear`, a logistic regression on the spike counts, which is trained by the labels of the same 10,000 images:

{linear}

The studies `rules.yaml` (100 and 400 neurons), `large.yaml` (1,600 and 6,400), `tuned.yaml` and `file_order.yaml` in
`configs/studies/results/` make them, each by the command `study run`
({machine}).
Differences between the rules, with their intervals and corrected p-values, other read-outs, dates, and all other tables
are in [docs/result-tables.md](docs/result-tables.md).
"""


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
    for settings, studies in SUMMARIZED.items():
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
    text = _README_TEXT.format(**{name: summary(tables, name) for name in _TOLD}, machine=machine).strip()
    path.write_text(f"{before}{_BEGIN}\n\n{text}\n\n{_END}{after}", encoding="utf-8")


def _usual_key(row: Mapping[str, Any]) -> tuple[int, str, str]:
    return int(row["n_e"]), row["rule"], row["read_out"]
