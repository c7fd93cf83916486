"""CSV files with one image a line: pixels and the label, with or without a header, raw or gzipped.

Values are separated by commas, semicolons or tabs.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.files import Split, open_regular
from snstdp_cli.datasets.limits import MAX_BYTES, MAX_PIXELS
from snstdp_cli.datasets.readers.csv_layout import LABEL_NAMES, Layout, find_layout
from snstdp_cli.datasets.readers.format import Format
from snstdp_cli.datasets.readers.grey import to_grey
from snstdp_cli.datasets.readers.groups import Group, group_of, groups_in, only_group
from snstdp_cli.datasets.readers.labels import flat_labels
from snstdp_cli.datasets.readers.pictures import MAGIC as PICTURE_MAGIC
from snstdp_cli.datasets.readers.reading import Labelled, Reading
from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_LINES_AT_ONCE = 4096
_LONGEST_LINE = 20 * MAX_PIXELS
_LONGEST_WORD = 100
#: Images, labels, and what was guessed or converted.
_Table = tuple[NDArray[np.uint8], NDArray[Any], list[str]]
#: What stands in place of a label that is not known.
_MISSING = ("", "nan", "null")


def read_file(path: Path) -> Reading:
    """Read a CSV file, and that of the other split beside it."""
    return _read(group_of(path, SUFFIXES), path)


def read_folder(folder: Path) -> Reading | None:
    """Read the CSV files of a folder; None if it has none."""
    groups = groups_in(folder, SUFFIXES)
    return _read(only_group(groups, folder), folder) if groups else None


def _read(group: Group, source: Path) -> Reading:
    splits: dict[Split, Labelled] = {}
    notes = [f"{source}: {group.note}"] if group.note else []
    for (split, _), files in group.files.items():
        for path in files[:1]:
            found, told = read_table(path)
            notes += told
            if found is not None:
                splits[split] = found
    if not splits:
        raise DataError(
            f"{source}: no column of labels found; expected a column called {', '.join(LABEL_NAMES[:4])}, or the label "
            "before as many pixels as make a square"
        )
    return Reading(source, splits, notes=tuple(dict.fromkeys(notes)))


def read_table(path: Path) -> tuple[Labelled | None, list[str]]:
    """Read one file: images and labels, or None if it has no labels; and what was guessed or converted.

    Raises
    ------
    DataError
        If it is damaged, too large, or not a table of numbers.
    """
    read = _read_lines(path, labelled=True)
    return (None, [f"{path}: has no labels and is not used"]) if read is None else (Labelled(read[0], read[1]), read[2])


def read_unlabelled(path: Path) -> NDArray[np.uint8] | None:
    """Read the images of a file that has no labels; None if it has some. Errors are those of `read_table`."""
    read = _read_lines(path, labelled=False)
    return None if read is None else read[0]


def _read_lines(path: Path, *, labelled: bool) -> _Table | None:
    with open_regular(path, "a CSV file") as stream:
        try:
            packed = stream.peek(2)[:2] == b"\x1f\x8b"
            with gzip.GzipFile(fileobj=stream) if packed else stream as content:
                return _parse(_lines(content, str(path)), str(path), labelled=labelled)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"{path}: damaged gzip file ({str(error).rstrip('.')}); copy it again") from None
        except MemoryError:
            raise DataError(f"{path}: does not fit into memory; expected a data set of the size of MNIST") from None
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}; copy it again") from None


def _lines(stream: IO[bytes] | gzip.GzipFile, where: str) -> Iterator[str]:
    """Yield lines that are not empty, as long as they and their sum can be those of images."""
    total = 0
    for number in itertools.count(1):
        line = stream.readline(_LONGEST_LINE + 1)
        if not line:
            return
        total += len(line)
        if len(line) > _LONGEST_LINE or total > 4 * MAX_BYTES:
            raise DataError(f"{where}: line {number:,} is longer than that of an image, or the file too large")
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", "backslashreplace").strip("\r\n")
        if text.strip():
            yield text


def _parse(lines: Iterator[str], where: str, *, labelled: bool) -> _Table | None:
    """Return what a file holds; None if it has labels and should not, or the other way round."""
    first = list(itertools.islice(lines, 200))
    layout = find_layout(first, where)
    if (layout.label is not None) != labelled:
        return None
    content = itertools.chain(first[layout.header :], lines)
    labels, pixels, num = list[NDArray[Any]](), list[NDArray[Any]](), 0
    while part := list(itertools.islice(content, _LINES_AT_ONCE)):
        words, values = _split(part, layout, where, num + 1 + layout.header)
        labels.append(words)
        pixels.append(values)
        num += len(part)
        if num * layout.columns > MAX_BYTES:
            raise DataError(f"{where}: holds more than {MAX_BYTES:,} pixels; expected a data set of the size of MNIST")
    if not pixels:
        raise DataError(f"{where}: holds a header and no images; expected one image a line")
    smaller = all(one.dtype == np.uint8 for one in pixels)
    values = np.concatenate(pixels if smaller else [one.astype(np.float32) for one in pixels])
    images, notes = to_grey(values, "pixels", where)
    words = np.concatenate(labels)
    guessed = [f"{where}: {layout.note}"] if layout.note else []
    return images, flat_labels(_numbers_or_words(words), where), [*guessed, *notes]


def _split(lines: list[str], layout: Layout, where: str, number: int) -> tuple[NDArray[np.str_], NDArray[Any]]:
    """Return the labels' words and the pixels of some lines, of which the first has this number."""
    words = []
    others = []
    for k, line in enumerate(lines):
        word, rest = layout.take_apart(line)
        if len(word) > _LONGEST_WORD or rest.count(layout.delimiter) != layout.pixels - 1:
            raise DataError(
                f"{where}: line {number + k:,}: found {line.count(layout.delimiter) + 1:,} values, expected "
                f"{layout.columns:,} as in the first line{'' if layout.label is None else ', one of them the label'}"
            )
        words.append(word.strip().strip('"'))
        if layout.label is not None and words[-1].lower() in _MISSING:
            raise DataError(
                f"{where}: line {number + k:,}: the label is missing ({words[-1]!r}); expected the class of the image; "
                "leave such lines out"
            )
        others.append(rest)
    try:
        values = np.array(layout.delimiter.join(others).replace('"', "").split(layout.delimiter), np.float32)
    except ValueError as error:
        detail = printable(str(error).rpartition(": ")[2])
        raise DataError(
            f"{where}: lines {number:,} to {number + len(lines) - 1:,}: found {detail} among the pixels, expected "
            "numbers"
        ) from None
    values = values.reshape(len(lines), layout.pixels)
    with np.errstate(invalid="ignore"):
        small = values.astype(np.uint8)
    return np.array(words), small if (small == values).all() else values


def _numbers_or_words(words: NDArray[np.str_]) -> NDArray[Any]:
    """Return labels such as `3.0` as whole numbers; words as they are."""
    try:
        numbers = words.astype(np.float64)
    except ValueError:
        return words
    whole = np.isfinite(numbers).all() and (numbers % 1 == 0).all() and np.abs(numbers).max(initial=0) < 2**53
    return numbers.astype(np.int64) if whole else words


def _recognizes(path: Path, begin: bytes, unpacked: bytes) -> bool:
    is_printable = all(byte >= 32 or byte in b"\t\r\n" for byte in unpacked)
    return bool(unpacked.strip()) and is_printable and not begin.startswith(PICTURE_MAGIC)


FORMAT = Format(
    ".csv", _recognizes, read_file, read_folder, is_text=True, suffixes=SUFFIXES, read_unlabelled=read_unlabelled
)
