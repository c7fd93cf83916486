"""Build the site with Sphinx: `make docs`. Pages are Markdown; notebooks run when they are built.

Nothing that a reader's browser shows comes from a network: equations are MathML, fonts are the reader's own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import snstdp_cli

sys.path.insert(0, str(Path(__file__).parent / "_site"))

project = "snstdp"
author = "the authors of snstdp"
version = release = snstdp_cli.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "mathml",
    "reference",
]
exclude_patterns = ["_site"]
root_doc = "index"
# A single pair of backticks in a docstring is code, as it is in Markdown.
default_role = "literal"

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath", "smartquotes"]
myst_heading_anchors = 3

nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 240
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_attr_annotations = True

html_theme = "furo"
html_title = f"snstdp {release}"
html_math_renderer = "mathml"
html_static_path = ["_site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
pygments_style = "default"
pygments_dark_style = "github-dark"
