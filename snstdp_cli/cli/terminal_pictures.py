"""Pictures in a terminal: by kitty's, iTerm2's or sixel's way where the terminal has one, or as half blocks."""

from __future__ import annotations

import base64
import io
import os
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from snstdp_cli.cli.console import out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PIECE = 4096
_SIXEL_GREYS = 16
_MOST_PIXELS_WIDE = 1000


class PictureWay(StrEnum):
    """How a picture is shown in the terminal."""

    auto = "auto"
    kitty = "kitty"
    iterm = "iterm"
    sixel = "sixel"
    blocks = "blocks"
    none = "none"


def way_of(environment: Mapping[str, str]) -> PictureWay:
    """Return how the terminal shows pictures, told by its environment; `none` where that is not known.

    Examples
    --------
    >>> way_of({"TERM": "xterm-kitty"}).value, way_of({"TERM": "xterm-256color"}).value
    ('kitty', 'none')
    """
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if environment.get("TMUX") or term.startswith(("screen", "tmux", "dumb")):
        return PictureWay.none  # they swallow pictures unless they were told not to
    if "kitty" in term or "KITTY_WINDOW_ID" in environment or program == "ghostty" or "ghostty" in term:
        return PictureWay.kitty
    if program in ("iTerm.app", "WezTerm") or environment.get("LC_TERMINAL") == "iTerm2":
        return PictureWay.iterm
    if term.startswith(("foot", "mlterm", "yaft", "contour")) or "sixel" in term or program == "mintty":
        return PictureWay.sixel
    return PictureWay.none


def chosen_way(asked: PictureWay) -> PictureWay:
    """Return how to show a picture; `auto` is the terminal's way, and none where standard output is no terminal."""
    if asked is not PictureWay.auto:
        return asked
    return way_of(os.environ) if sys.stdout.isatty() else PictureWay.none


def show_picture(png: bytes, way: PictureWay) -> None:
    """Show a PNG in the terminal."""
    for text in picture_text(png, way, out.width):
        out.file.write(text)
    out.file.write("\n")
    out.file.flush()


def picture_text(png: bytes, way: PictureWay, columns: int) -> Iterator[str]:
    """Yield what a terminal of so many columns has to be sent to show a PNG."""
    if way is PictureWay.kitty:
        yield from _kitty(png)
    elif way is PictureWay.iterm:
        content = base64.b64encode(png).decode()
        yield f"\x1b]1337;File=inline=1;size={len(png)};width=auto:{content}\x07"
    elif way is PictureWay.sixel:
        yield _sixel(_grey(png, _MOST_PIXELS_WIDE))
    elif way is PictureWay.blocks:
        yield _blocks(_grey(png, min(columns, 200)))


def _kitty(png: bytes) -> Iterator[str]:
    content = base64.b64encode(png).decode()
    for begin in range(0, len(content), _PIECE):
        more = int(begin + _PIECE < len(content))
        first = "a=T,f=100,q=2," if begin == 0 else ""
        yield f"\x1b_G{first}m={more};{content[begin : begin + _PIECE]}\x1b\\"


def _grey(png: bytes, width: int) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image

    picture = Image.open(io.BytesIO(png), formats=("PNG",)).convert("L")
    if picture.width > width:
        picture = picture.resize((width, max(1, round(picture.height * width / picture.width))), Image.Resampling.BOX)
    return np.asarray(picture)


def _sixel(grey: NDArray[np.uint8]) -> str:
    """Encode grey values as sixels: bands of six rows, each drawn once for each of 16 greys that occur in it."""
    import numpy as np

    height, width = grey.shape
    levels = np.zeros((-(-height // 6) * 6, width), np.uint8)
    levels[:height] = grey // (256 // _SIXEL_GREYS)
    palette = "".join(f"#{k};2;{(v := round(100 * k / (_SIXEL_GREYS - 1)))};{v};{v}" for k in range(_SIXEL_GREYS))
    bits = 1 << np.arange(6)[:, None]
    bands = []
    for band in levels.reshape(-1, 6, width):
        lines = [
            f"#{level}" + (((band == level) * bits).sum(axis=0) + 63).astype(np.uint8).tobytes().decode("ascii")
            for level in np.unique(band)
        ]
        bands.append("$".join(lines))
    return f'\x1bPq"1;1;{width};{height}{palette}{"-".join(bands)}\x1b\\'


def _blocks(grey: NDArray[np.uint8]) -> str:
    """Draw two rows of pixels in one line of letters, the upper one as the colour of half a block."""
    import numpy as np

    rows = np.vstack([grey, grey[-1:]]) if len(grey) % 2 else grey
    steps = (rows.astype(int) * 23 // 255) + 232  # the greys of 256 colours
    lines = [
        "".join(f"\x1b[38;5;{a};48;5;{b}m▀" for a, b in zip(upper, lower, strict=True)) + "\x1b[0m"
        for upper, lower in zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True)
    ]
    return "\n".join(lines)
