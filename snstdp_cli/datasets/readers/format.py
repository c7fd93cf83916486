"""What a reader says of its format: how it is called, how its files are told, and what reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.readers.reading import Reading


def _no_folder(folder: Path) -> None:
    return None


@dataclass(frozen=True)
class Format:
    """A format of labelled images.

    Attributes
    ----------
    name
        What a file of this format is called, such as `.npz`; empty if it is no file, but a folder.
    recognizes
        Whether a file is of this format: its path, its first bytes, and these unpacked if it is gzipped.
    read_file
        Reads a file, and what belongs to it beside it; None for a layout that `datasets.npz` reads.
    read_folder
        Reads a folder; None if it holds nothing of this format.
    is_text
        Whether any text is recognized, so that the others are asked before.
    suffixes
        Endings that mean this format to whoever asks for images without labels; other files are told by their content.
    read_unlabelled
        Reads the images of a file without labels; None if it has some.
    """

    name: str
    recognizes: Callable[[Path, bytes, bytes], bool]
    read_file: Callable[[Path], Reading | None]
    read_folder: Callable[[Path], Reading | None] = _no_folder
    is_text: bool = False
    suffixes: tuple[str, ...] = ()
    read_unlabelled: Callable[[Path], NDArray[np.uint8] | None] | None = None
