"""Read one split of a data set: MNIST, Fashion-MNIST, the bundled subset of MNIST, or the user's own images.

A user's own data set is a path: an .npz file with our four arrays, a folder with IDX files by MNIST's names, or
anything that one of the `readers` reads.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import get_args

from snstdp_cli.config import InputSection
from snstdp_cli.config.experiment import is_data_path
from snstdp_cli.datasets.dataset import Dataset, build_dataset
from snstdp_cli.datasets.files import Kind, Split, expand, expected_names, file_stems, find_file
from snstdp_cli.datasets.identity import identify, refuse_other_content
from snstdp_cli.datasets.idx import parse_idx, read_idx
from snstdp_cli.datasets.joining import TITLES_JOIN, first_classes, join, joined_class_names, joined_names
from snstdp_cli.datasets.locating import check_name, find_dataset, requested_folder, search_path
from snstdp_cli.datasets.npz import read_class_names, read_npz
from snstdp_cli.datasets.preparation import Labelled, divide, refuse_to_divide
from snstdp_cli.datasets.readers import (
    EXPECTED,
    describe_folder,
    folders_in,
    number_classes,
    only_archive,
    read_once,
)
from snstdp_cli.datasets.sealing import readable_splits, refuse_sealed
from snstdp_cli.datasets.splits import Pair, check_numbers
from snstdp_cli.errors import DataError

#: Of a folder's files, for a hint.
_MOST_NAMES = 1000
#: What helps where there are no test images.
_TO_DIVIDE = "make some of the training images test images: --set input.test_share=0.2"
_OTHER: dict[Split, Split] = {"train": "test", "test": "train"}


def load_dataset(
    name: str,
    split: Split,
    data_dir: Path | None = None,
    *,
    cache_dir: Path | None = None,
    inputs: InputSection | None = None,
    only_whole: bool = False,
) -> Dataset:
    """Load one split of a data set from the first folder that holds it, and prepare its images.

    Parameters
    ----------
    name
        `mnist`, `fashion-mnist` or `bundled`; `mnist` falls back to the bundled subset where no folder was asked for.
        Several of them with a `+` between, as `mnist+fashion-mnist`, are joined.
        Or a path from the current folder: a file or folder of any format that is read, with images of any size.
    split
        `train` or `test`.
    data_dir
        Look here only; `bundled` and a path need no folder and ignore it.
    cache_dir
        Look here in place of the user's cache folder.
    inputs
        What is done to the images (the section `input` of an experiment); by default nothing.
    only_whole
        Refuse the bundled subset in the place of MNIST.

    Raises
    ------
    DataError
        If the name is unknown, or files are missing, damaged, of another data set or do not fit each other.
    """
    if names := joined_names(name):
        load = functools.partial(load_dataset, data_dir=data_dir, cache_dir=cache_dir, only_whole=only_whole)
        return _load_joined(name, names, split, load, inputs)
    check_name(name)
    if split not in get_args(Split):
        raise DataError(f"unknown split '{split}'; expected one of: {', '.join(get_args(Split))}")
    refuse_sealed(split, name)
    if name == "bundled":
        return _load_bundled(name, split, inputs)
    if is_data_path(name):
        return _load_own(name, split, inputs)
    folder = find_dataset(name, data_dir, cache_dir=cache_dir)
    if folder is not None:
        return _load_folder(name, split, folder, inputs)
    for other in search_path(name, data_dir, cache_dir=cache_dir):
        refuse_other_content(name, identify(other), str(other))
    asked = requested_folder(data_dir)
    if asked is not None:
        path, where = asked
        raise DataError(
            f"{where}: {_describe_folder(path, name)}; expected, there or in its subfolder '{name}', "
            f"{expected_names('images', split)} and {expected_names('labels', split)}{_other_names(path)}"
        )
    if name == "mnist" and not only_whole:
        return _load_bundled(name, split, inputs)
    searched = ", ".join(str(path) for path in search_path(name, cache_dir=cache_dir))
    raise DataError(
        f"{name}: not found (searched: {searched}); run `snstdp data fetch {name}`, "
        f"or name a folder with {expected_names('images', split)} and its labels by --data-dir"
        + ", or ask for the digits that come with snstdp, `data: bundled`"
        * (name == "mnist")
    )


def _load_joined(
    name: str, names: Sequence[str], split: Split, load: Callable[[str, Split], Dataset], inputs: InputSection | None
) -> Dataset:
    @functools.cache
    def parts(part: Split) -> list[Dataset]:
        return [load(one, part) for one in names]

    firsts = first_classes(parts("train"), name)
    told = [text for one in parts(split) for text in one.warnings]
    called = joined_class_names(names, firsts)
    whole = _assemble(name, split, name, lambda part: join(parts(part), firsts, name), inputs, called, told)
    title = TITLES_JOIN.join(one.identity.name for one in parts(split))
    identity = dataclasses.replace(whole.identity, name=f"{title}{whole.identity.name.removeprefix(name)}")
    return dataclasses.replace(whole, identity=identity, joined=firsts)


def _load_folder(name: str, split: Split, folder: Path, inputs: InputSection | None) -> Dataset:
    # Unpacking takes longer than all that is done with a split, and several ask for it.
    find = functools.cache(functools.partial(_read_folder, folder))

    def read(part: Split) -> Pair | None:
        found = find(part)
        return None if isinstance(found, str) else found

    if _is_whole(inputs) or split == "train":
        pair = find(split)
        if isinstance(pair, str):
            raise DataError(_missing(name, split, folder, pair))
    return _assemble(name, split, str(folder), read, inputs)


def _missing(name: str, split: Split, folder: Path, kind: Kind) -> str:
    holds = "holds" if is_data_path(name) else f"holds files of {name}, but"
    others = _other_names(folder)
    return (
        f"{folder}: {holds} no {kind} of the {split} split; expected {expected_names(kind, split)}{others}"
        f"{f'; or {_TO_DIVIDE}' if split == 'test' and kind == 'images' else ''}"
    )


def _is_whole(inputs: InputSection | None) -> bool:
    return inputs is None or inputs.test_share is None


def _assemble(
    name: str,
    split: Split,
    source: str,
    read: Callable[[Split], Labelled | None],
    inputs: InputSection | None,
    names: Mapping[int, str] | None = None,
    notes: Sequence[str] = (),
) -> Dataset:
    """Build one split of what `read` returns, divided if there is one split only and it is to be."""
    if inputs is not None and inputs.test_share is not None:
        whole = read("train")
        if whole is None or read("test") is not None:
            refuse_to_divide(inputs, source)
        assert whole is not None
        check_numbers(whole, "train", name, source)
        parts = dict(zip(get_args(Split), divide(whole, inputs.test_share, source), strict=True))
        read = parts.get
    pair = read(split)
    if pair is None:
        raise DataError(f"{source}: there are no {split} images{f'; {_TO_DIVIDE}' if split == 'test' else ''}")
    return build_dataset(
        name, split, pair, source, lambda: read(_OTHER[split]), inputs=inputs, names=names, notes=notes
    )


def _read_folder(folder: Path, split: Split) -> Pair | Kind:
    """Read images and labels of a split; return which of them is missing if one is."""
    images, labels = (find_file(folder, kind, split) for kind in get_args(Kind))
    if images is None:
        return "images"
    if labels is None:
        return "labels"
    return read_idx(images, "images"), read_idx(labels, "labels")


def _other_names(folder: Path) -> str:
    """Say which IDX files of other names a folder holds (EMNIST's begin with `emnist-`), as the end of a sentence."""
    try:
        names = [path.name for path in itertools.islice(folder.iterdir(), _MOST_NAMES)]
    except (OSError, ValueError):
        return ""
    others = sorted(name for name in names if "idx" in name and not name.startswith(("train-", "t10k-")))[:4]
    shown = ", ".join(name if name.isprintable() else ascii(name) for name in others)
    return f"; are these the files, under other names? {shown}" if others else ""


def _load_own(name: str, split: Split, inputs: InputSection | None) -> Dataset:
    path = expand(Path(name))
    try:
        found = (
            None
            if path.is_file() or path.is_dir()
            else "is neither a file nor a folder"
            if path.exists()
            else "no such file or folder"
        )
    except (OSError, ValueError) as error:
        found = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    if found is not None:
        here = "" if path.is_absolute() else f" (looked for in {Path.cwd()})"
        raise DataError(f"{path}: {found}{here}; {EXPECTED}")
    return _load_path(name, path, split, inputs)


def _load_path(name: str, path: Path, split: Split, inputs: InputSection | None) -> Dataset:
    if path.is_dir():
        place = _idx_folder(path)
        if place is not None:
            return _load_folder(name, split, place, inputs)
    reading = read_once(path)
    if reading is not None:
        labels = {part: one.labels for part, one in reading.splits.items()}
        numbered, names = number_classes(labels, reading.names, str(path))
        pairs: dict[Split, Labelled] = {part: (one.images, numbered[part]) for part, one in reading.splits.items()}
        notes = list(reading.notes)
        if reading.transposed and not (inputs and inputs.transpose):
            notes.append(
                f"{path}: {reading.transposed}: --set input.transpose=true turns them (snstdp data show {path})"
            )
        return _assemble(name, split, str(path), pairs.get, inputs, names, notes)
    if path.is_dir():
        archive = only_archive(path)
        if archive is None:
            raise DataError(f"{path}: {describe_folder(path)}")
        return _load_path(name, archive, split, inputs)
    arrays = read_npz(path, readable_splits())
    own: dict[Split, Labelled] = {
        part: (arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in readable_splits()
    }
    labels = {part: pair[1] for part, pair in own.items()}
    _, names = number_classes(labels, read_class_names(path), str(path))
    return _assemble(name, split, str(path), own.get, inputs, names)


def _idx_folder(folder: Path) -> Path | None:
    """Return the folder, or torchvision's folder in it, that holds files by MNIST's names."""
    found = [
        place
        for place in (folder, folder / "raw", *(one / "raw" for one in folders_in(folder)))
        if any(find_file(place, kind, split) for split in get_args(Split) for kind in get_args(Kind))
    ]
    if len(found) > 1 and found[0] not in (folder, folder / "raw"):
        raise DataError(
            f"{folder}: holds several data sets: {', '.join(str(one) for one in found[:6])}; name the one you mean"
        )
    return found[0] if found else None


def _load_bundled(name: str, split: Split, inputs: InputSection | None) -> Dataset:
    return _assemble(name, split, "bundled subset", _read_bundled, inputs)


def _read_bundled(split: Split) -> Pair:
    arrays = {}
    for kind in get_args(Kind):
        resource = resources.files("snstdp_cli.bundled").joinpath(f"{file_stems(kind, split)[0]}.gz")
        try:
            with resource.open("rb") as stream:
                arrays[kind] = parse_idx(stream, f"bundled subset: {resource.name}", kind)
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataError(f"bundled subset: {resource.name}: {reason}; install snstdp again") from None
    return arrays["images"], arrays["labels"]


def _describe_folder(folder: Path, name: str) -> str:
    """Say why nothing was found in a folder."""
    try:
        if not folder.exists():
            return "no such folder"
        if not folder.is_dir():
            return "is a file, not a folder"
        next(folder.iterdir(), None)
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    return f"holds no files of {name}"
