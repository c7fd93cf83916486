"""From which raw data sets some images were taken, whatever was chosen of them, joined or changed."""

from __future__ import annotations

import os
import re
from pathlib import Path

from snstdp_cli.config.experiment import is_data_path
from snstdp_cli.config.sections import PREPARING
from snstdp_cli.datasets.files import expand
from snstdp_cli.datasets.identity import title_of
from snstdp_cli.datasets.joining import TITLES_JOIN, joined_names
from snstdp_cli.datasets.published import NAMES, TITLES

#: Where an identity begins to tell what the section `input` did.
_CHANGES = re.compile(rf" \((?=(?:{'|'.join(PREPARING)})\b)")
#: The bundled images are some of MNIST's, and unknown ones in a data set's files may be.
_SOURCES = {
    **{name: TITLES[name] for name in NAMES},
    **{title_of(name, None): TITLES[name] for name in NAMES},
    TITLES["bundled"]: TITLES["mnist"],
    "bundled": TITLES["mnist"],
}


def sources_of(name: str, identity: str) -> frozenset[str]:
    """Return what the raw data sets are called that images were taken from; own data by their full path.

    Two data sets without a source in common share no image, as far as names tell: a copy under another name is not
    found out.

    Parameters
    ----------
    name
        What the images were asked for by.
    identity
        What they are called (`Identity.name`).

    Examples
    --------
    >>> sorted(sources_of("mnist+fashion-mnist", "MNIST + Fashion-MNIST (classes 0 1)"))
    ['Fashion-MNIST', 'MNIST']
    >>> sources_of("bundled", "the bundled subset of MNIST") == sources_of("mnist", "MNIST (invert)")
    True
    """
    raw = _CHANGES.split(identity, maxsplit=1)[0]
    found = raw.split(TITLES_JOIN) if joined_names(name) else [raw]
    return frozenset(_SOURCES.get(one, _full_path(one)) for one in found)


def _full_path(name: str) -> str:
    return os.path.realpath(expand(Path(name))) if is_data_path(name) else name
