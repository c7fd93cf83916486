"""Parquet files, such as Hugging Face's: a column of encoded images, of lists of pixels, or a column for each pixel."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.files import Split, open_regular
from snstdp_cli.datasets.limits import MAX_BYTES
from snstdp_cli.datasets.readers.csv_layout import LABEL_NAMES
from snstdp_cli.datasets.readers.format import Format
from snstdp_cli.datasets.readers.grey import to_grey
from snstdp_cli.datasets.readers.groups import Group, folders_in, group_of, groups_in, only_group
from snstdp_cli.datasets.readers.labels import flat_labels
from snstdp_cli.datasets.readers.picture_folders import check_total, stack_or_list
from snstdp_cli.datasets.readers.pictures import decode_picture
from snstdp_cli.datasets.readers.reading import Labelled, Pixels, Reading
from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable

SUFFIXES = (".parquet",)
IMAGE_NAMES = ("image", "img", "images", "pixels", "x")
#: More labels: those of CIFAR's and others on the hub.
_LABELS = (*LABEL_NAMES, "fine_label", "label_idx")
_ROWS_AT_ONCE = 1024
_BYTES_AT_ONCE = 2**28
#: Numbers in one column of a part of a file.
_MOST_VALUES = 2**28
_LONGEST_LABEL = 1000
_MOST_COLUMNS = 70_000


def read_file(path: Path) -> Reading:
    """Read a Parquet file, its further parts and those of the other split beside it."""
    return _read(group_of(path, SUFFIXES), path)


def read_folder(folder: Path) -> Reading | None:
    """Read the Parquet files of a folder, or of `data/` or the only other one with some in it; None without any.

    Raises
    ------
    DataError
        If there are several data sets, or a file is damaged, or too large.
    """
    for place in (folder, folder / "data"):
        groups = groups_in(place, SUFFIXES) if place.is_dir() else []
        if groups:
            return _read(only_group(groups, place), folder)
    inner = [group for place in folders_in(folder) for group in groups_in(place, SUFFIXES)]
    return _read(only_group(inner, folder), folder) if inner else None


def _read(group: Group, source: Path) -> Reading:
    splits: dict[Split, Labelled] = {}
    notes = [f"{source}: {group.note}"] if group.note else []
    names: dict[int, str] = {}
    for (split, _), files in group.files.items():
        parts = []
        for path in files:
            found, told, named = _read_part(path)
            parts.append(found)
            notes += told
            names |= named
        splits[split] = _joined(parts)
    return Reading(source, splits, names, tuple(dict.fromkeys(notes)))


def _read_part(path: Path) -> tuple[Labelled, list[str], dict[int, str]]:
    parquet = _pyarrow(path)
    with open_regular(path, "a Parquet file") as stream:
        try:
            # In a single thread: what a damaged file breaks is told here.
            file = parquet.ParquetFile(stream, pre_buffer=False)
            _check_sizes(file.metadata, path)
            schema = file.schema_arrow
            label, pixels = _columns(schema, path)
            rows = _rows_at_once(file.metadata, label, pixels, path)
            batches = file.iter_batches(batch_size=rows, columns=[label, *pixels], use_threads=False)
            images, labels, notes = _collect(batches, label, pixels, path)
            return Labelled(images, labels), notes, _names(schema.metadata or {}, label)
        except DataError:
            raise
        except MemoryError:
            raise DataError(f"{path}: does not fit into memory; expected a data set of the size of MNIST") from None
        except Exception as error:  # pyarrow raises a dozen classes for damaged bytes, and plain ones for odd types
            detail = printable(" ".join(str(error).split()) or type(error).__name__)
            raise DataError(f"{path}: not an intact Parquet file of images: {detail}; write or copy it again") from None


def _pyarrow(path: Path) -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise DataError(f"{path}: Parquet files need pyarrow; install it: pip install 'snstdp[parquet]'") from None
    return parquet


def _check_sizes(metadata: Any, path: Path) -> None:
    stated = sum(max(0, metadata.row_group(k).total_byte_size) for k in range(metadata.num_row_groups))
    if stated > MAX_BYTES or metadata.num_columns > _MOST_COLUMNS:
        raise DataError(
            f"{path}: its metadata state {stated:,} bytes in {metadata.num_columns:,} columns; expected at most "
            f"{MAX_BYTES:,} bytes: a data set of the size of MNIST"
        )


def _rows_at_once(metadata: Any, label: str, pixels: Sequence[str], path: Path) -> int:
    """Return how many rows may be unpacked at once: a value that is packed once can stand in each of them.

    Raises
    ------
    DataError
        If the pixels are more than those of any data set, however small they are packed.
    """
    read = {label, *pixels}
    groups = [metadata.row_group(k) for k in range(metadata.num_row_groups)]
    chunks = [
        chunk
        for group in groups
        for chunk in map(group.column, range(group.num_columns))
        if chunk.path_in_schema in read or chunk.path_in_schema.partition(".")[0] in read
    ]
    values = max((chunk.num_values for chunk in chunks), default=0)
    if metadata.num_rows * len(pixels) > MAX_BYTES or values > _MOST_VALUES:
        raise DataError(
            f"{path}: its metadata state {metadata.num_rows:,} rows, and {values:,} values in one place; expected a "
            "data set of the size of MNIST"
        )
    largest = max((chunk.total_uncompressed_size for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"), default=0)
    return int(min(_ROWS_AT_ONCE, max(1, _BYTES_AT_ONCE // max(1, largest))))


def _columns(schema: Any, path: Path) -> tuple[str, list[str]]:
    """Return the column of the labels and those of the images."""
    names = {name.lower(): name for name in schema.names}
    label = next((names[one] for one in _LABELS if one in names), None)
    shown = ", ".join(printable(name, 20) for name in schema.names[:8])
    if label is None:
        raise DataError(f"{path}: found the columns {shown}; expected one called {', '.join(LABEL_NAMES[:4])}")
    image = next((names[one] for one in IMAGE_NAMES if one in names and names[one] != label), None)
    if image is not None:
        return label, [image]
    from pyarrow import types

    numbers = [
        one.name
        for one in schema
        if one.name != label and (types.is_integer(one.type) or types.is_floating(one.type)) and "index" not in one.name
    ]
    if len(numbers) < 2:
        raise DataError(f"{path}: found the columns {shown}; expected images in one called {', '.join(IMAGE_NAMES)}")
    return label, numbers


def _collect(
    batches: Iterator[Any], label: str, pixels: Sequence[str], path: Path
) -> tuple[Pixels, NDArray[Any], list[str]]:
    """Read all rows: pictures are decoded as they come, so that no more than a part is held twice."""
    labels, pictures, tables = list[Any](), list[NDArray[np.uint8]](), list[NDArray[Any]]()
    total = 0
    for batch in batches:
        labels += [_short(one, path) for one in _filled(batch.column(label).to_pylist(), "a label", path)]
        if len(pixels) > 1:
            tables.append(np.column_stack([batch.column(one).to_numpy(zero_copy_only=False) for one in pixels]))
            total += tables[-1].size
        else:
            for row in _filled(batch.column(pixels[0]).to_pylist(), "an image", path):
                pictures.append(_picture(row, f"{path}: image {len(pictures):,}"))
                total += pictures[-1].size
        check_total(total, len(labels), str(path))
    if not labels:
        raise DataError(f"{path}: holds no rows; expected one image in each")
    found = flat_labels(np.array(labels), str(path))
    if tables:
        images, notes = to_grey(np.concatenate(tables), "pixels", str(path))
        return images, found, notes
    if pictures[0].ndim == 1 or pictures[0].dtype != np.uint8:
        images, notes = to_grey(np.stack(pictures), "pixels", str(path))
        return images, found, notes
    return stack_or_list(pictures), found, []


def _picture(row: Any, where: str) -> NDArray[Any]:
    """Return one image: encoded bytes, or numbers in a list or in lists of rows."""
    content = row.get("bytes") if isinstance(row, Mapping) else row
    if isinstance(content, bytes):
        return decode_picture(content, where)
    if isinstance(content, list) and content:
        return np.array(content)
    raise DataError(
        f"{where}: found {printable(type(content).__name__)}, expected the bytes of a picture file or a list of "
        "numbers; files that are named by their paths only are not opened"
    )


def _short(label: Any, path: Path) -> Any:
    if isinstance(label, str | bytes) and len(label) > _LONGEST_LABEL:
        raise DataError(f"{path}: found a label of {len(label):,} letters, expected a number or a word")
    return label


def _filled(values: list[Any], what: str, path: Path) -> list[Any]:
    if None in values:
        raise DataError(f"{path}: {what} is missing (null); expected one in each row")
    return values


def _joined(parts: Sequence[Labelled]) -> Labelled:
    if len(parts) == 1:
        return parts[0]
    labels = np.concatenate([one.labels for one in parts])
    check_total(sum(sum(image.size for image in one.images) for one in parts), len(labels), "all parts")
    return Labelled(stack_or_list([image for one in parts for image in one.images]), labels)


def _names(metadata: Mapping[bytes, bytes], label: str) -> dict[int, str]:
    """Return the classes' names that Hugging Face writes into the metadata."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        names = features[label]["names"]
        return {k: str(name) for k, name in enumerate(names)} if isinstance(names, list) else {}
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}


def _recognizes(path: Path, begin: bytes, unpacked: bytes) -> bool:
    return begin.startswith(b"PAR1")


FORMAT = Format(".parquet", _recognizes, read_file, read_folder, suffixes=SUFFIXES)
