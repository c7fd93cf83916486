"""The report of networks: its sections, in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from snstdp_cli.report import learning, records, results
from snstdp_cli.report.commands import commands
from snstdp_cli.report.comparison import comparison
from snstdp_cli.report.content import Content, Run
from snstdp_cli.report.costs import costs
from snstdp_cli.report.document import Section, html_document
from snstdp_cli.report.markup import Markup, tag


def render(content: Content) -> str:
    """Return the page.

    Raises
    ------
    ArtefactError
        If it would be larger than `MAX_BYTES`.
    """
    names = ", ".join(run.name for run in content.runs)
    sections = [
        Section(identifier, title, parts, explanation, _NOTHING.get(identifier, "Nothing is known."))
        for identifier, title, explanation, parts in _parts(content)
    ]
    return html_document(names, sections, content.created, advice="name fewer networks at once")


def _parts(content: Content) -> list[tuple[str, str, str, list[Markup]]]:
    """Return identifier, title, an explanation and the content of each section."""
    example = content.example
    return [
        ("result", "Result", "", [*results.headline(content), *comparison(content)]),
        ("classes", "Accuracy by class", "", results.classes(content)),
        (
            "confusion",
            "Confusion",
            "Rows are true classes, columns what the network answered. Blue is right, orange is wrong; the colour "
            "grows with the square root of the share of the row, so that rare mistakes are seen.",
            _side_by_side([(run, results.confusion(run)) for run in content.runs if run.scores]),
        ),
        (
            "mistakes",
            "Misclassified images",
            "Some of the test images that were taken for another class, evenly chosen: the true class in bold, then "
            "the network's guesses, best first, and the number of the image (for --example).",
            _side_by_side([(run, results.mistakes(run)) for run in content.runs if run.scores], "columns narrow"),
        ),
        (
            "fields",
            "Receptive fields",
            "The input weights of each neuron, drawn where its inputs lie in the image. Point at a neuron, tap it, or "
            "use the arrow keys to see it large, with its mean number of spikes for the training images of each class.",
            learning.explorers(content),
        ),
        (
            "training",
            "During the training",
            "",
            [*learning.training(content), *_columns(learning.growth(run, k) for k, run in enumerate(content.runs))],
        ),
        ("weights", "Weights after the training", "", learning.distributions(content)),
        *(
            [
                (
                    "presentation",
                    f"Test image {example}",
                    "One presentation to the trained network, simulated again for this report.",
                    [part for run in content.runs for part in learning.presentation(run, example)],
                )
            ]
            if example is not None
            else []
        ),
        ("cost", "What it costs on a chip", "", costs(content)),
        ("configuration", "Configuration", "", records.configuration(content)),
        ("provenance", "Provenance", "", [part for run in content.runs for part in records.provenance(run)]),
        ("commands", "Make it again", "", commands(content)),
    ]


_NOTHING = {
    "classes": "No network of this report has recorded responses, so there is no accuracy.",
    "confusion": "No network of this report has recorded responses, so there is no confusion matrix.",
    "mistakes": "No network of this report has recorded responses, so no mistakes are known.",
    "fields": "The weights are not there.",
    "training": "Nothing is known of the training.",
    "weights": "The weights are not there.",
    "presentation": "The weights are not there.",
    "cost": "The weights are not there.",
}


def _side_by_side(blocks: Sequence[tuple[Run, list[Markup]]], kind: str = "columns") -> list[Markup]:
    if not blocks:
        return []
    return _columns([[tag("h3", run.name), *parts] for run, parts in blocks], kind)


def _columns(blocks: Iterable[list[Markup]], kind: str = "columns") -> list[Markup]:
    filled = [tag("div", parts) for parts in blocks if parts]
    return [tag("div", filled, class_=kind)] if filled else []
