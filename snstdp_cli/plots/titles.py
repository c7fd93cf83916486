"""What titles of figures say of a score: read-outs in their order, and the images."""

from __future__ import annotations

from snstdp_cli.evaluation import Classifier, with_usual
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.results import Score


def read_outs_of(classifier: Classifier) -> list[Classifier]:
    """Return the read-outs that are drawn, the chosen one first."""
    return list(with_usual(classifier))


def images_of(score: Score) -> str:
    """Return how many test images of which data set were scored, and by which other images neurons were labelled."""
    assign, test = score.assign.record, score.test.record
    labelled = ", labelled by these very images" if score.circular else ""
    if assign is not None and test is not None and not assign.data.belongs_to(test.data):
        labelled = f", labelled by {plain(assign.data.identity, 40)}"
    return f"{score.evaluation.num_examples:,} test images of {plain(score.data, 40)}{labelled}"
