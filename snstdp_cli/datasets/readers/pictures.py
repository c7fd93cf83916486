"""Single pictures (PNG, BMP, JPEG, GIF, TIFF) as grey values; Pillow decodes them.

A picture is untrusted: its size is looked at before its pixels are unpacked.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.files import open_regular
from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable

FORMATS = ("PNG", "BMP", "JPEG", "GIF", "TIFF")
MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM")
SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg", ".gif", ".tif", ".tiff")
#: Photographs of phones have up to 12 million; they are made smaller at once.
MAX_PICTURE = 2**24
#: No file of such a picture is larger: 4 channels of 2 bytes, and something for its headers.
_MOST_BYTES = 8 * MAX_PICTURE + 2**20


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture file as grey values, [rows, cols].

    Raises
    ------
    DataError
        If it is no picture, damaged or too large.
    """
    with open_regular(path, "a picture") as stream:
        return _decode(stream, str(path))


def decode_picture(content: bytes, where: str) -> NDArray[np.uint8]:
    """Decode the bytes of a picture file as grey values, [rows, cols]; see `read_picture`."""
    return _decode(io.BytesIO(content), where)


def _decode(stream: IO[bytes], where: str) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    length = stream.seek(0, 2)
    if length == 0:
        raise DataError(f"{where}: is empty; expected a picture; leave it out")
    if length > _MOST_BYTES:
        raise DataError(f"{where}: the file is larger than any picture of {MAX_PICTURE:,} pixels")
    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of sizes, which are checked here
            with Image.open(stream, formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > MAX_PICTURE or width * height == 0:
                    raise DataError(
                        f"{where}: found {height:,} x {width:,} pixels; expected 1 to {MAX_PICTURE:,}; make it smaller"
                    )
                turned = ImageOps.exif_transpose(picture) if picture.format in ("JPEG", "TIFF") else picture
                return _grey(turned)
    except DataError:
        raise
    except Image.DecompressionBombError:
        raise DataError(f"{where}: states far more than {MAX_PICTURE:,} pixels; make it smaller") from None
    except UnidentifiedImageError:
        raise DataError(
            f"{where}: is no picture of the formats that are read ({', '.join(FORMATS)}), whatever it is called; save "
            "it as PNG, or leave it out"
        ) from None
    except MemoryError:
        raise DataError(f"{where}: does not fit into memory") from None
    except Exception as error:  # the decoders raise a dozen unrelated classes for damaged bytes
        detail = printable(" ".join(str(error).split()) or type(error).__name__)
        raise DataError(
            f"{where}: not an intact picture ({', '.join(FORMATS)}): {detail}; copy it again, or leave it out"
        ) from None


def _grey(picture: Any) -> NDArray[np.uint8]:
    """Return grey values; what is transparent is laid on white, as viewers show it."""
    from PIL import Image

    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        values = np.asarray(picture).astype(np.float64)
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 65535:
            raise ValueError("values beyond 0 to 65,535")
        deep = picture.mode.startswith("I;16") or values.max() > 255
        return (values / 257 if deep else values).round().astype(np.uint8)
    if picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layered.size, (255, 255, 255, 255)), layered)
    if picture.mode == "L":
        return np.asarray(picture)
    return np.asarray(picture.convert("L"))  # 0.299 R + 0.587 G + 0.114 B
