"""A report as one HTML file: no other file, no library, no font, no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from snstdp_cli import __version__
from snstdp_cli.errors import ArtefactError
from snstdp_cli.report.markup import Markup, tag

#: No report is larger, so that it can be mailed and opened on a telephone.
MAX_BYTES = 5_000_000
_PAPERS = (
    ("G. C. Fahey, S. J. Ippolito, G. I. Matthews, Neurocomputing 2026", "10.1016/j.neucom.2026.133419"),
    ("P. U. Diehl, M. Cook, Front. Comput. Neurosci. 2015", "10.3389/fncom.2015.00099"),
)


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes
    ----------
    identifier
        Where links lead to.
    explanation
        Said above the content.
    nothing
        Said in place of content.
    """

    identifier: str
    title: str
    parts: Sequence[Markup]
    explanation: str = ""
    nothing: str = "Nothing is known."


def html_document(title: str, sections: Sequence[Section], created: str, *, advice: str) -> str:
    """Return the page.

    Parameters
    ----------
    created
        When it was made, ISO 8601 in UTC.
    advice
        What to do if it is too large.

    Raises
    ------
    ArtefactError
        If it would be larger than `MAX_BYTES`.
    """
    style, script = Markup(_asset("style.css")), Markup(_asset("script.js"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · snstdp report"),
        tag("style", style),
    )
    main = tag("main", map(_section, sections))
    body = tag("body", _header(title, sections, created), main, _footer(), tag("script", script))
    page = f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"
    size = len(page.encode())
    if size > MAX_BYTES:
        raise ArtefactError(f"the report would have {size:,} bytes, expected at most {MAX_BYTES:,}; {advice}")
    return page


def _section(section: Section) -> Markup:
    content = list(section.parts) or [tag("p", section.nothing, class_="missing")]
    lead = [tag("p", section.explanation, class_="lead")] if section.explanation and section.parts else []
    return tag("section", tag("h2", section.title), lead, content, id=section.identifier)


def _header(title: str, sections: Sequence[Section], created: str) -> Markup:
    links = [tag("li", tag("a", one.title, href=f"#{one.identifier}")) for one in sections]
    made = created.replace("T", " ").removesuffix("+00:00")
    return tag(
        "header",
        tag("h1", title),
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
