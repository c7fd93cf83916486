"""The figures of the published results: which ones each study has, drawn beside its raw records."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

from snstdp_cli.errors import SnstdpError
from snstdp_cli.evaluation import Classifier
from snstdp_cli.plots import render_figure
from snstdp_cli.plots.studies import StudyKind, draw_study
from snstdp_cli.studies.results import StudyResults


class Drawn(NamedTuple):
    """A figure of a study: its kind, the key along its axis, and the read-out (the study's first without it)."""

    kind: StudyKind
    x: str | None = None
    read_out: Classifier | None = None

    @property
    def name(self) -> str:
        """What its file is called, after the name of the study."""
        return ".".join([self.kind, *([] if self.x is None else [self.x.split(".")[-1]])])


_OVER_SIZES, _BELOW_EACH_OTHER = (Drawn("lines", "n_e"),), (Drawn("categories", read_out="selective"),)
_SEARCH = (Drawn("history"), Drawn("importance"))
#: By study, in the order of the page.
FIGURES: dict[str, tuple[Drawn, ...]] = {
    "rules": _OVER_SIZES,
    "large": _OVER_SIZES,
    "passes": _BELOW_EACH_OTHER,
    "labels": (Drawn("lines", "evaluation.assign_examples"),),
    "speed": (Drawn("lines", "num_examples"),),
    "ablation": _BELOW_EACH_OTHER,
    "fashion": (Drawn("categories"),),
    "online": (Drawn("stages"),),
    "switch": (Drawn("stages"),),
    "noise": tuple(Drawn("lines", f"input.{key}") for key in ("noise", "occlusion", "shift")),
    "search_smin": _SEARCH,
    "search_smax": _SEARCH,
    "search_triplet": _SEARCH,
    "choose": _BELOW_EACH_OTHER,
    "choose_size": _BELOW_EACH_OTHER,
    "explore": _BELOW_EACH_OTHER,
    "tuned": _OVER_SIZES,
    "all_labels": _OVER_SIZES,
}


def draw_figures(results: StudyResults, folder: Path) -> list[Path]:
    """Draw what a study has enough results for, as PNG, and return the files."""
    files = []
    for one in FIGURES[results.name]:
        with contextlib.suppress(SnstdpError):  # too little is finished
            figure = draw_study(results, one.kind, read_out=one.read_out, x=one.x)
            files.append(folder / f"{results.name}.{one.name}.png")
            folder.mkdir(parents=True, exist_ok=True)
            files[-1].write_bytes(render_figure(figure, "png"))
    return files
