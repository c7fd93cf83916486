"""IDX files under other names than MNIST's, such as EMNIST's, or in torchvision's folders."""

from __future__ import annotations

import contextlib
from pathlib import Path

from snstdp_cli.datasets.files import Kind, Split, open_regular
from snstdp_cli.datasets.idx import read_idx
from snstdp_cli.datasets.readers.format import Format
from snstdp_cli.datasets.readers.groups import Group, group_of, groups_in, name_parts, only_group
from snstdp_cli.datasets.readers.reading import Labelled, Reading
from snstdp_cli.errors import DataError

_SUFFIXES = ("-ubyte", ".ubyte", ".idx", "-ubyte.gz", ".ubyte.gz", ".idx.gz", "idx1", "idx3", "idx1.gz", "idx3.gz")
_MAPPING_BYTES = 100_000
_TRANSPOSED = "EMNIST's IDX files hold transposed images"


def read_file(path: Path) -> Reading:
    """Read the IDX files beside one of images or labels; the names tell which belong together."""
    return _read(group_of(path, _suffixes(path), pairs=True), path)


def read_folder(folder: Path) -> Reading | None:
    """Read the IDX files of a folder; None if it has none that are told apart by their names."""
    groups = groups_in(folder, _SUFFIXES, pairs=True)
    return _read(only_group(groups, folder), folder) if groups else None


def _suffixes(path: Path) -> tuple[str, ...]:
    name = path.name.lower()
    return _SUFFIXES if name.endswith(_SUFFIXES) else tuple({path.suffix.lower() or name, ".gz"})


def _read(group: Group, source: Path) -> Reading:
    splits: dict[Split, Labelled] = {}
    for split in dict.fromkeys(split for split, _ in group.files):
        images = read_idx(_file(group, split, "images", source), "images")
        splits[split] = Labelled(images, read_idx(_file(group, split, "labels", source), "labels"))
    first = next(iter(group.files.values()))[0]
    notes = [f"{source}: {group.note}"] if group.note else []
    transposed = _TRANSPOSED if first.name.lower().startswith("emnist") else ""
    return Reading(source, splits, _mapping_beside(first), tuple(notes), transposed)


def _file(group: Group, split: Split, kind: Kind, source: Path) -> Path:
    files = group.files.get((split, kind))
    if files:
        return files[0]
    there = sorted(path.name for paths in group.files.values() for path in paths)
    raise DataError(
        f"{source}: no {kind} of the {split} split beside {', '.join(there)}; expected an IDX file whose name differs "
        f"in '{kind}' only, such as train-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
    )


def _mapping_beside(path: Path) -> dict[int, str]:
    """Return the classes' names from EMNIST's `-mapping.txt`: a label and its characters' codes in each line."""
    begin = name_parts(path.name).stem.split("--")[0]
    names: dict[int, str] = {}
    with contextlib.suppress(DataError, OSError, ValueError, UnicodeDecodeError):
        with open_regular(path.parent / f"{begin}-mapping.txt", "a mapping") as stream:
            lines = stream.read(_MAPPING_BYTES).decode("ascii").splitlines()
        for line in lines:
            label, *codes = map(int, line.split())
            names[label] = "/".join(dict.fromkeys(chr(code) for code in codes))
    return names


def _recognizes(path: Path, begin: bytes, unpacked: bytes) -> bool:
    return unpacked.startswith(b"\0\0") and len(unpacked) > 3 and unpacked[2] in range(0x08, 0x0F)


FORMAT = Format("IDX", _recognizes, read_file, read_folder)
