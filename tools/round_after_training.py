"""The second table of `configs/studies/bits.yaml`: networks that learned in full precision, rounded afterwards.

    python tools/round_after_training.py --workdir DIR --to FOLDER

The trainings are those of the study's finished cells with `bits: null`, below DIR/studies/bits/, which are not changed:
a study would train once for each number of bits, since precision shapes a training. Each network is copied to FOLDER
and records both splits once for each number of bits; what is recorded already is not recorded again.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

from snstdp_cli.api import evaluate, load, record
from snstdp_cli.artefacts import Workdir, recording_path
from snstdp_cli.datasets import Part
from snstdp_cli.results import TrainedNetwork
from snstdp_cli.studies import load_study
from snstdp_cli.studies.cell import CELL_NAME
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.intervals import estimate
from snstdp_cli.studies.results import gather_results

STUDY = Path(__file__).resolve().parents[1] / "configs" / "studies" / "bits.yaml"
BITS = (8, 6, 5, 4, 3, 2)
READ_OUTS = ("average", "selective")

Accuracies = dict[tuple[str, int | None], list[dict[str, float]]]


def main() -> None:
    """Record, score and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workdir", type=Path, default=Path())
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--workers", type=int)
    chosen = parser.parse_args()
    found: Accuracies = {}
    for cell in full_precision(chosen.workdir):
        rule, network = str(cell.settings["rule"]), copied(cell, chosen.to)
        found.setdefault((rule, None), []).append({key: cell.accuracies[key] for key in READ_OUTS})
        for bits in BITS:
            print(f"{rule}, seed {cell.seed}: {bits} bits", flush=True)
            found.setdefault((rule, bits), []).append(rounded(network, bits, chosen.workers))
    print("\n".join(table(found)))


def full_precision(workdir: Path) -> list[CellResult]:
    """Return the finished cells whose weights were not limited."""
    cells = gather_results(load_study(STUDY, workdir)).cells
    return [one for one in cells if one.settings["precision.weights.bits"] is None and one.state == "finished"]


def copied(cell: CellResult, folder: Path) -> TrainedNetwork:
    """Copy a cell's weights to a place where more may be recorded of them."""
    target = folder / cell.folder.name
    if not (target / "weights").exists():
        shutil.copytree(cell.folder / "weights", target / "weights", ignore=shutil.ignore_patterns("snapshots", ".*"))
    return load(CELL_NAME, target)


def rounded(network: TrainedNetwork, bits: int, workers: int | None) -> dict[str, float]:
    """Return the accuracies of a network whose weights are stored in so many bits while it answers."""
    label, place = f"b{bits}", Workdir(network.workdir.root)
    wanted = network.experiment.evaluation
    parts: tuple[tuple[Part, int], ...] = (("train", wanted.assign_examples), ("test", wanted.test_examples))
    for split, num in parts:
        if not recording_path(place, network.name, split, num, label).exists():
            limited = {"weights": {"bits": bits}}
            record(network, split=split, num_examples=num, label=label, workers=workers, precision=limited)
    scores = evaluate(network, label=label).evaluations
    return {key: scores[key].accuracy for key in READ_OUTS}


def table(found: Accuracies) -> Iterator[str]:
    """Yield the lines of a table: mean over seeds, and half of the 95 % interval where there are several."""
    rules = list(dict.fromkeys(rule for rule, _ in found))
    yield "| bits | " + " | ".join(f"{rule}, {key}" for rule in rules for key in READ_OUTS) + " |"
    yield "|---" * (1 + len(rules) * len(READ_OUTS)) + "|"
    for bits in (None, *BITS):
        cells = [text([one[key] for one in found[rule, bits]]) for rule in rules for key in READ_OUTS]
        yield f"| {bits or 'full'} | " + " | ".join(cells) + " |"


def text(values: list[float]) -> str:
    """Return a mean in percent with what is known of its interval."""
    known = estimate(values)
    assert known is not None
    half = "" if known.ci95 is None else f" ± {100 * (known.ci95[1] - known.ci95[0]) / 2:.1f}"
    return f"{100 * known.mean:.1f}{half}"


if __name__ == "__main__":
    main()
