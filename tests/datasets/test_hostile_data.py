"""Files that promise much, are none, or never end cost little memory and no time, and are refused with a sentence."""

from __future__ import annotations

import contextlib
import gzip
import io
import math
import os
import re
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from idx_files import FILES, IMAGES, LABELS, idx_bytes, write_split

from snstdp_cli.datasets import fetch_dataset, load_dataset, read_idx
from snstdp_cli.datasets.limits import MAX_PIXELS
from snstdp_cli.errors import DataError

pytestmark = pytest.mark.usefixtures("places")
ARRAYS: dict[str, Any] = {
    "train_images": IMAGES,
    "train_labels": LABELS,
    "test_images": IMAGES + 1,
    "test_labels": LABELS,
}


@contextlib.contextmanager
def little_memory(megabytes: int = 20) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < megabytes * 1_000_000


def npy(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    """Return a .npy file, whose header may announce another shape."""
    buffer = io.BytesIO()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape if shape is None else shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + array.tobytes()


def write_npz(path: str, extra: dict[str, bytes] | None = None, **changes: bytes) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in ARRAYS.items():
            archive.writestr(f"{name}.npy", changes.get(name, npy(array)))
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return path


def refusal(data: str) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(data, "train")
    return str(caught.value)


# Large images


def test_an_image_as_large_as_a_photograph_is_refused_before_it_is_read(places: Path) -> None:
    folder = places / "large"
    write_split(folder, np.zeros((1, 1, 1), np.uint8), LABELS[:1])
    with (folder / "train-images-idx3-ubyte").open("wb") as stream:
        stream.write(struct.pack(">4I", 0x0803, 1, 8192, 8192))
        stream.truncate(16 + 8192 * 8192)
    advice = r"pixels; expected at most 65,536 \(256 x 256\), .*make them smaller: images\[:, ::32, ::32\]$"
    with little_memory():
        assert re.search(r"found images of 8,192 x 8,192 = 67,108,864 " + advice, refusal(f"{folder}/"))
    write_npz("own.npz", train_images=npy(np.zeros((0,), np.uint8), (1, 8192, 8192)) + bytes(2**26))
    with little_memory():
        assert re.search(
            "own.npz: train_images: found images of 8,192 x 8,192 = 67,108,864 " + advice, refusal("own.npz")
        )
    assert np.zeros((1, 8192, 8192), np.uint8)[:, ::32, ::32][0].size == MAX_PIXELS


def test_the_largest_image_is_read(places: Path) -> None:
    images = np.zeros((2, 256, 256), np.uint8)
    found = load_dataset("mnist", "train", write_split(places / "large", images, LABELS[:2]))
    assert found.n_input == MAX_PIXELS


# Files without an end


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize("which", ["images", "labels"])
def test_a_sparse_file_of_20_gigabytes_is_refused_at_once(places: Path, which: str, pack: Any) -> None:
    folder = write_split(places / "sparse")
    path = folder / f"train-{which}-idx{3 if which == 'images' else 1}-ubyte"
    path.write_bytes(pack(path.read_bytes()))
    os.truncate(path, 20 * 2**30)
    with little_memory():
        assert f"{path}: trailing bytes: the header states" in refusal(f"{folder}/")
        with pytest.raises(DataError, match="trailing bytes"):
            load_dataset("mnist", "train", folder)


def test_a_sparse_archive_of_20_gigabytes_is_refused_at_once() -> None:
    write_npz("own.npz")
    os.truncate("own.npz", 20 * 2**30)
    with little_memory():
        assert refusal("own.npz").startswith("own.npz: not an intact .npz archive")


def test_an_archive_whose_list_of_members_has_gigabytes_is_refused() -> None:
    size = 2**31
    with Path("own.npz").open("wb") as stream:
        stream.seek(size)
        stream.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 0, 0))
    with little_memory():
        assert "its list of members is too long" in refusal("own.npz")


@pytest.mark.parametrize("kind", ["fifo", "device", "link to a device"])
@pytest.mark.parametrize("which", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz"])
def test_what_is_no_regular_file_is_not_waited_for(places: Path, which: str, kind: str) -> None:
    folder = write_split(places / "odd")
    for old in folder.glob(f"{which[:12]}*"):
        old.unlink()
    if kind == "fifo":
        os.mkfifo(folder / which)
    elif kind == "device" and os.geteuid() == 0:
        with contextlib.suppress(OSError):  # not in every container
            os.mknod(folder / which, 0o20666, os.makedev(1, 5))
    if not (folder / which).exists():
        (folder / which).symlink_to("/dev/zero")
    found = "a FIFO" if kind == "fifo" else "a device"
    with pytest.raises(DataError, match=rf"{which}: is {found}; expected an IDX file"):
        load_dataset("mnist", "train", folder)
    assert "is a" in refusal(f"{folder}/")
    with pytest.raises(DataError, match="is a"):
        read_idx(folder / which)


def test_a_download_does_not_wait_for_a_fifo(places: Path) -> None:
    (places / "cache" / "snstdp" / "mnist").mkdir(parents=True)
    (places / "target").mkdir()
    for folder in (places / "cache" / "snstdp" / "mnist", places / "target"):
        os.mkfifo(folder / FILES[0])
    for target in (None, places / "target"):
        with pytest.raises(DataError, match=rf"{FILES[0]}: is a FIFO; expected the published file of mnist"):
            fetch_dataset("mnist", target)


# Archives that promise much


def test_a_further_array_is_not_read_however_large() -> None:
    write_npz("own.npz", {"scratch.npy": npy(np.zeros(2**26, np.uint8)), "notes.txt": b"hello"})
    with little_memory(5):
        assert len(load_dataset("own.npz", "train")) == 3


def test_an_array_that_is_larger_than_any_data_set_is_refused_by_its_header() -> None:
    shape = (2**17, 128, 255)
    content = bytearray(Path(write_npz("own.npz", train_images=npy(IMAGES, shape))).read_bytes())
    at = content.index(b"PK\1\2") + 24  # the unpacked size of the first member, in the list of members
    content[at : at + 4] = struct.pack("<L", len(npy(IMAGES)) - IMAGES.size + math.prod(shape))
    Path("own.npz").write_bytes(content)
    with little_memory():
        found = refusal("own.npz")
    assert re.search(r"train_images: the header states .* = 4,278,190,080 bytes; expected at most 1,073,741,824", found)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(IMAGES, (3, 2, 5)), r"the header announces 30 bytes, but 24 follow"),
        (npy(IMAGES, (3, 2**80, 4)), r"the header announces far too many bytes, but 24 follow"),
        (npy(IMAGES, (-3, -2, 4)), r"the header announces a shape that cannot be"),
        (b"no array", r"no array as NumPy writes it"),
        (npy(IMAGES)[:40], r"no array as NumPy writes it, or a damaged one"),
    ],
    ids=["more than there is", "astronomical", "negative", "no array", "half a header"],
)
def test_an_array_that_does_not_hold_what_it_announces_is_refused(content: bytes, message: str) -> None:
    with little_memory():
        found = refusal(write_npz("own.npz", train_images=content))
    assert re.search(rf"^own.npz: train_images: {message}", found), found


def test_an_array_that_is_there_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        write_npz("own.npz", {"train_labels.npy": npy(LABELS)})
    assert "the array 'train_labels' is there twice" in refusal("own.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_of_packing_that_numpy_does_not_use_are_refused(method: int) -> None:
    with zipfile.ZipFile("own.npz", "w", method) as archive:
        for name, array in ARRAYS.items():
            archive.writestr(f"{name}.npy", npy(array))
    assert "packed by another method than numpy.savez and numpy.savez_compressed use" in refusal("own.npz")


def test_names_of_arrays_cannot_reach_a_terminal_as_commands() -> None:
    with zipfile.ZipFile("own.npz", "w") as archive:
        archive.writestr("\x1b[2Jevil.npy", npy(LABELS))
    found = refusal("own.npz")
    assert found.isprintable()
    assert r"'\x1b[2Jevil'" in found


def test_a_gzip_bomb_is_never_unpacked(places: Path) -> None:
    folder = write_split(places / "bomb")
    content = gzip.compress(idx_bytes(IMAGES) + bytes(300_000_000), 1)
    (folder / "train-images-idx3-ubyte").write_bytes(content)
    with little_memory():
        assert "trailing bytes" in refusal(f"{folder}/")
