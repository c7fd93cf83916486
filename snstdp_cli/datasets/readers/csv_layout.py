"""How a CSV file of images is to be understood: what separates values, which column is the label, what is a header."""

from __future__ import annotations

import math
from dataclasses import dataclass

from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable

LABEL_NAMES = ("label", "labels", "class", "target", "y", "digit", "category", "character")
#: Of a column that numbers the images: pandas writes one without a name.
_INDEX_NAMES = ("", "id", "index", "imageid", "image_id", "unnamed: 0")
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Layout:
    """How the lines of a file are to be understood.

    Attributes
    ----------
    delimiter
        What is between two values.
    columns
        How many values a line has.
    label
        The column of the label; None if there is none.
    header
        Whether the first line names the columns.
    note
        What was guessed.
    index
        The column that numbers the images, which is left out; None if there is none.
    """

    delimiter: str
    columns: int
    label: int | None
    header: bool
    note: str = ""
    index: int | None = None

    @property
    def pixels(self) -> int:
        """How many pixels a line has."""
        return self.columns - sum(column is not None for column in (self.label, self.index))

    def take_apart(self, line: str) -> tuple[str, str]:
        """Return the word of the label, empty if there is none, and the pixels with what is between them."""
        if self.index is None and self.label is None:
            return "", line
        if self.index is None and self.label == 0:
            word, _, rest = line.partition(self.delimiter)
            return word, rest
        if self.index is None and self.label == self.columns - 1:
            rest, _, word = line.rpartition(self.delimiter)
            return word, rest
        cells = line.split(self.delimiter)
        word = cells[self.label] if self.label is not None and self.label < len(cells) else ""
        return word, self.delimiter.join(cell for k, cell in enumerate(cells) if k not in (self.label, self.index))


def find_layout(lines: list[str], where: str) -> Layout:
    """Find out how the first lines of a file are to be understood.

    Raises
    ------
    DataError
        If they are no table of images.

    Examples
    --------
    >>> find_layout(["label,p0,p1,p2,p3", "7,0,0,255,9"], "x")
    Layout(delimiter=',', columns=5, label=0, header=True, note='', index=None)
    """
    if not lines:
        raise DataError(f"{where}: is empty; expected one image a line")
    delimiter = max(_DELIMITERS, key=lines[0].count)
    first = _cells(lines[0], delimiter)
    columns = len(first)
    header = sum(not _is_number(cell) for cell in first) > 1
    if columns < 2:
        raise DataError(
            f"{where}: found one value in the first line ({printable(lines[0], 40)!r}); expected the label and the "
            "pixels of an image, with commas between them"
        )
    if header:
        names = [cell.strip().lower() for cell in first]
        label = next((names.index(name) for name in LABEL_NAMES if name in names), None)
        index = next((names.index(name) for name in _INDEX_NAMES if name in names), None)
        if index is not None and _is_square(columns - 1 - (label is not None)):
            return Layout(delimiter, columns, label, True, f"the column {first[index]!r} is left out", index)
        if label is not None:
            return Layout(delimiter, columns, label, True)
    if _is_square(columns) and columns > 4:
        return Layout(delimiter, columns, None, header)  # Kaggle's test images
    rows = [_cells(line, delimiter) for line in lines[header:]]
    starts, ends = {row[0] for row in rows}, {row[-1] for row in rows}
    if len(starts) == 1 and len(ends) > 1:
        return Layout(delimiter, columns, columns - 1, header, "the last column is taken for the labels")
    return Layout(delimiter, columns, 0, header, "" if header else "the first column is taken for the labels")


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_square(number: int) -> bool:
    return number > 0 and math.isqrt(number) ** 2 == number
