"""What is published, in the order of the page: the studies, what their settings are compared with, their figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from snstdp_cli.evaluation import Classifier
from snstdp_cli.plots.studies import StudyKind


class Drawn(NamedTuple):
    """A figure of a study: its kind, the key along its axis, and the read-out (the study's first without it)."""

    kind: StudyKind
    x: str | None = None
    read_out: Classifier | None = None

    @property
    def name(self) -> str:
        """What its file is called, after the name of the study."""
        return ".".join([self.kind, *([] if self.x is None else [self.x.split(".")[-1]])])


class Published(NamedTuple):
    """What the page shows of a study: the settings that the others are compared with, if any, and the figures."""

    against: Mapping[str, Any]
    figures: tuple[Drawn, ...]


_TO_TRIPLET = {"rule": "triplet"}
_OVER_SIZES, _BELOW_EACH_OTHER = (Drawn("lines", "n_e"),), (Drawn("categories", read_out="selective"),)
_SEARCH = Published({}, (Drawn("history"), Drawn("importance")))
_AT_TEST_TIME = tuple(Drawn("lines", f"input.{key}") for key in ("noise", "occlusion", "shift"))
#: By name of the study.
PUBLISHED: dict[str, Published] = {
    "rules": Published(_TO_TRIPLET, _OVER_SIZES),
    "large": Published(_TO_TRIPLET, _OVER_SIZES),
    "passes": Published({"num_examples": 60_000}, _BELOW_EACH_OTHER),
    "labels": Published({"evaluation.assign_examples": 10_000}, (Drawn("lines", "evaluation.assign_examples"),)),
    "speed": Published(_TO_TRIPLET, (Drawn("lines", "num_examples"),)),
    "ablation": Published({"change": "defaults"}, _BELOW_EACH_OTHER),
    "fashion": Published(_TO_TRIPLET, (Drawn("categories"),)),
    "online": Published(_TO_TRIPLET, (Drawn("stages"),)),
    "switch": Published(_TO_TRIPLET, (Drawn("stages"),)),
    "noise": Published(_TO_TRIPLET, _AT_TEST_TIME),
    "search_smin": _SEARCH,
    "search_smax": _SEARCH,
    "search_triplet": _SEARCH,
    "choose": Published({"settings": "default"}, _BELOW_EACH_OTHER),
    "choose_size": Published({"settings": "default"}, _BELOW_EACH_OTHER),
    "orders": Published({"order": "as_is"}, _BELOW_EACH_OTHER),
    "shares": Published({}, (Drawn("lines", "rule.positive_share"),)),
    "explore": Published({"change": "none"}, _BELOW_EACH_OTHER),
    "tuned": Published(_TO_TRIPLET, _OVER_SIZES),
    "file_order": Published(_TO_TRIPLET, _OVER_SIZES),
    "all_labels": Published(_TO_TRIPLET, _OVER_SIZES),
}
