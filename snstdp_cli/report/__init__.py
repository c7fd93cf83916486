"""A report of one or several networks as one HTML file that needs no network and no other file.

`gather` loads what is known of the networks, `render` turns it into the page. A part that is missing leaves a sentence
in its place.
"""

from snstdp_cli.report.content import Content, Pair, Run, gather
from snstdp_cli.report.document import MAX_BYTES
from snstdp_cli.report.page import render

__all__ = ["MAX_BYTES", "Content", "Pair", "Run", "gather", "render"]
