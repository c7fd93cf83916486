"""The command `predict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_line, print_table, visible
from snstdp_cli.cli.live import reporter
from snstdp_cli.cli.names import known_name, require_recordings
from snstdp_cli.cli.network_options import takes_networks
from snstdp_cli.cli.table_files import check_table_file, write_rows

if TYPE_CHECKING:
    from snstdp_cli.results import Prediction

#: More rows than this are better read in a file.
_MOST_SHOWN = 20

FirstImages = Annotated[int | None, typer.Option("--num-examples", min=1, help="Show only the first ones.")]
Images = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Images: a picture or a folder of pictures, an .npz, .npy or IDX file, or a data set's name or path "
        "for its test images.",
        show_default=False,
    ),
]
TrainingLabel = Annotated[
    str | None, typer.Option("--as", help="Training responses of this name give the labels (test --as).")
]
AnswersFile = Annotated[
    Path | None,
    typer.Option(
        "--output", "--out", help="File for all of it: .csv or .json.", show_default=False, rich_help_panel=o.OUTPUT
    ),
]


@takes_networks(several=False)
def predict(
    *,
    names: list[str],
    num_examples: FirstImages = None,
    data: Images,
    label: TrainingLabel = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    workers: o.Workers = None,
    force: o.Force = False,
    output: AnswersFile = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Tell the classes of images without labels, by both read-outs.

    The labels of the neurons come from recorded training responses (snstdp test --split train).

    Example: snstdp predict mine --data new_images.npz --out answers.csv

    Example: snstdp predict mine --data ./new_pictures
    """
    if output is not None:
        check_table_file(output, force=force)

    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.datasets import load_images
    from snstdp_cli.results import TrainedNetwork, predict_images

    place = Workdir(workdir)
    chosen = known_name(names, "predict", place)
    require_recordings(place, chosen, ["train"], data_dir)
    images = load_images(data, data_dir)
    with reporter(quiet) as report:
        network = TrainedNetwork(place, chosen)
        found = predict_images(network, images, mark=label, num_examples=num_examples, workers=workers, report=report)
    rows = list(found.rows())
    if output is not None:
        write_rows(output, rows, _summary(found))
    if as_json:
        print_json({**_summary(found), "files": [] if output is None else [output], "images": rows})
        return
    _show(found, rows, output)


def _summary(found: Prediction) -> dict[str, Any]:
    """Return what is said of all images, as JSON can hold it."""
    return {
        "name": found.name,
        "data": found.source,
        "labels_from": found.labels_from,
        "classes": found.classes.tolist(),
        "class_names": [found.class_names.get(int(label), str(label)) for label in found.classes],
        "num_examples": len(found),
        "silent_examples": int(found.silent.sum()),
        "undecided_examples": int(found.undecided.sum()),
    }


def _show(found: Prediction, rows: list[dict[str, Any]], output: Path | None) -> None:
    print_line(
        *("predicted ", (found.name, "bold"), f": {len(found):,} images of {found.source}, "),
        f"{int(found.silent.sum()):,} without an answer, {int(found.undecided.sum()):,} undecided; labels of neurons "
        f"from {found.labels_from}",
    )
    if output is not None:
        print_files([output])
        return
    kinds = list(found.predictions)
    answers = "prediction_names" if found.class_names else "predictions"
    cells = [
        (
            visible(str(row.get("file", row["image"]))),
            *("none" if row[answers][kind] is None else str(row[answers][kind]) for kind in kinds),
            str(row["spikes"]),
            "silent" if row["silent"] else "",
        )
        for row in rows[:_MOST_SHOWN]
    ]
    print_table(("image", *(f"by {kind}" for kind in kinds), "spikes", ""), cells)
    if len(rows) > _MOST_SHOWN:
        print_line(f"and {len(rows) - _MOST_SHOWN:,} more; all of them in a file: --out answers.csv")
