"""The report as one HTML file: no other file, no library, no font, no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from importlib.resources import files

from snstdp_cli import __version__
from snstdp_cli.errors import ArtefactError
from snstdp_cli.report import learning, records, results
from snstdp_cli.report.commands import commands
from snstdp_cli.report.comparison import comparison
from snstdp_cli.report.content import Content, Run
from snstdp_cli.report.markup import Markup, tag

#: No report is larger, so that it can be mailed and opened on a telephone.
MAX_BYTES = 5_000_000
_PAPERS = (
    ("G. C. Fahey, S. J. Ippolito, G. I. Matthews, Neurocomputing 2026", "10.1016/j.neucom.2026.133419"),
    ("P. U. Diehl, M. Cook, Front. Comput. Neurosci. 2015", "10.3389/fncom.2015.00099"),
)


def render(content: Content) -> str:
    """Return the page.

    Raises
    ------
    ArtefactError
        If it would be larger than `MAX_BYTES`.
    """
    names = ", ".join(run.name for run in content.runs)
    parts = _parts(content)
    sections = [_section(*part) for part in parts]
    menu = [(identifier, title) for identifier, title, _, _ in parts]
    style, script = Markup(_asset("style.css")), Markup(_asset("script.js"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{names} · snstdp report"),
        tag("style", style),
    )
    body = tag("body", _header(names, menu, content.created), tag("main", sections), _footer(), tag("script", script))
    page = f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"
    size = len(page.encode())
    if size > MAX_BYTES:
        raise ArtefactError(
            f"the report would have {size:,} bytes, expected at most {MAX_BYTES:,}; name fewer networks at once"
        )
    return page


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
}


def _section(identifier: str, title: str, explanation: str, parts: Sequence[Markup]) -> Markup:
    content = list(parts) or [tag("p", _NOTHING.get(identifier, "Nothing is known."), class_="missing")]
    lead = [tag("p", explanation, class_="lead")] if explanation and parts else []
    return tag("section", tag("h2", title), lead, content, id=identifier)


def _side_by_side(blocks: Sequence[tuple[Run, list[Markup]]], kind: str = "columns") -> list[Markup]:
    if not blocks:
        return []
    return _columns([[tag("h3", run.name), *parts] for run, parts in blocks], kind)


def _columns(blocks: Iterable[list[Markup]], kind: str = "columns") -> list[Markup]:
    filled = [tag("div", parts) for parts in blocks if parts]
    return [tag("div", filled, class_=kind)] if filled else []


def _header(names: str, menu: Sequence[tuple[str, str]], created: str) -> Markup:
    links = [tag("li", tag("a", title, href=f"#{identifier}")) for identifier, title in menu]
    made = created.replace("T", " ").removesuffix("+00:00")
    return tag(
        "header",
        tag("h1", names),
        tag("p", f"Report of snstdp {__version__}, made on {made} UTC", class_="note"),
        tag("nav", tag("ul", links), aria_label="Parts of this report"),
    )


def _footer() -> Markup:
    papers = [
        tag("li", f"{paper}, ", tag("a", f"doi {doi}", href=f"https://doi.org/{doi}", rel="noreferrer"))
        for paper, doi in _PAPERS
    ]
    text = (
        "All figures were measured by snstdp, none is taken from a paper. The rules smax and smin are those of the "
        "first paper, their scaling terms derived by us from its target of the L1 norm; network, presentation, "
        "the rule triplet and the read-out average follow the second."
    )
    return tag("footer", tag("p", text), tag("ul", papers))


def _policy(script: Markup) -> str:
    """Allow the page's own script and nothing else: no request can leave it, no other script can run."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _asset(name: str) -> str:
    return files("snstdp_cli.report").joinpath(name).read_text(encoding="utf-8")
