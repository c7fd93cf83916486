"""Check a built documentation site: every link leads somewhere, and nothing that is shown comes from a network.

    python tools/check_site.py build/site

Links to other sites are for readers to click; they are not followed.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes by which a page loads something when it is shown.
LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "srcset"), ("object", "data")}
#: A link of this kind is for search engines and loads nothing.
NOT_LOADED = {"canonical", "search", "index", "next", "prev", "author", "copyright"}
#: Files that are offered for download and are no pages of the site.
DOWNLOADS = "_downloads"


@dataclass
class Page:
    """What a page links to, what it loads, and the places in it that links can lead to."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.anchors |= {given[name] for name in ("id", "name") if name in given}
        for name, value in given.items():
            if (tag, name) in LOADED and given.get("rel") not in NOT_LOADED:
                self.page.loaded.append(value)
            elif (tag, name) == ("a", "href"):
                self.page.links.append(value)


def read_page(path: Path) -> Page:
    """Return what is to be checked of a page."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.page


def check_site(site: Path) -> list[str]:
    """Return a sentence for each link that leads nowhere and each thing that would come from a network."""
    pages = {path.resolve(): read_page(path) for path in site.rglob("*.html") if DOWNLOADS not in path.parts}
    found = [] if pages else [f"{site}: no pages; build the site first: make docs"]
    for path, page in pages.items():
        where = path.relative_to(site.resolve())
        found += [f"{where}: loads {link} from a network" for link in page.loaded if _is_elsewhere(link)]
        for link in (*page.links, *page.loaded):
            if not _is_elsewhere(link) and (problem := _problem(path, link, pages)):
                found.append(f"{where}: {link}: {problem}")
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        if remote := re.findall(r"(?:@import\s+|url\()\s*['\"]?((?:https?:)?//[^'\")\s]+)", text):
            found.append(f"{sheet.relative_to(site)}: loads {remote[0]} from a network")
    return found


def _is_elsewhere(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.netloc) or parts.scheme in ("http", "https", "mailto")


def _problem(page: Path, link: str, pages: dict[Path, Page]) -> str:
    """Say why a link within the site leads nowhere; nothing if it does not."""
    parts = urlsplit(link)
    if parts.scheme:  # data:, which is in the page itself
        return ""
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return "no such file"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return "no such place in the page"
    return ""


def main() -> None:
    """Print what is wrong, and fail if anything is."""
    found = check_site(Path(sys.argv[1]))
    for sentence in found:
        print(sentence, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
