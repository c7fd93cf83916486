"""IDX files are read exactly, or refused with a sentence when they are damaged."""

import gzip
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fuzzing import tries
from hypothesis import given
from hypothesis import strategies as st
from idx_files import EDITS, IMAGES, LABELS, found_or_refusal, idx_bytes, mutate, write_split

from snstdp_cli.datasets import idx, read_idx
from snstdp_cli.errors import DataError

# Reading IDX


@pytest.mark.parametrize("array", [IMAGES, LABELS], ids=["images", "labels"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
def test_an_idx_file_is_read_as_it_was_written(
    tmp_path: Path, array: np.ndarray, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack(idx_bytes(array)))
    found = read_idx(path)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, array)
    assert not found.flags.writeable


def test_compression_is_told_by_content_and_not_by_name(tmp_path: Path) -> None:
    raw, packed = tmp_path / "raw.gz", tmp_path / "packed"
    raw.write_bytes(idx_bytes(LABELS))
    packed.write_bytes(gzip.compress(idx_bytes(LABELS)))
    np.testing.assert_array_equal(read_idx(raw), read_idx(packed))


def test_an_array_larger_than_one_piece_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idx, "_CHUNK", 5)
    path = tmp_path / "file"
    path.write_bytes(idx_bytes(IMAGES))
    np.testing.assert_array_equal(read_idx(path), IMAGES)


DAMAGED = {
    "empty file": (b"", "holds only 0 bytes; expected an IDX file"),
    "two bytes": (b"\0\0", "holds only 2 bytes"),
    "a web page": (b"<!DOCTYPE html>", "found magic number 0x3C21444F, expected 0x00000803 .* not an IDX file"),
    "floats": (struct.pack(">3I", 0x0D01, 1, 0), "values of type 0x0D, expected unsigned bytes"),
    "two dimensions": (struct.pack(">3I", 0x0802, 1, 1) + b"a", "0x00000802, expected 0x00000803 .*0x00000801"),
    "half a header": (struct.pack(">2I", 0x0803, 1), "header ends after 8 bytes, expected 16"),
    "too short": (idx_bytes(IMAGES)[:-1], "truncated: the header states 3 x 2 x 4 = 24 bytes, found 23"),
    "too long": (idx_bytes(IMAGES) + b"a", "trailing bytes: the header states 3 x 2 x 4 = 24 bytes, found more"),
    "no images": (struct.pack(">4I", 0x0803, 0, 28, 28), "states 0 x 28 x 28 values; expected at least one"),
    "no pixels": (struct.pack(">4I", 0x0803, 5, 0, 28), "states 5 x 0 x 28 values; expected at least one"),
    "huge": (struct.pack(">4I", 0x0803, *[2**32 - 1] * 3), "expected at most 1,073,741,824"),
    "overflowing": (struct.pack(">4I", 0x0803, 2**31, 2**31, 4), "= 18,446,744,073,709,551,616 bytes; expected at"),
}


@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED.keys())
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
def test_damaged_content_is_refused_with_what_was_found_and_expected(
    tmp_path: Path, content: bytes, message: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(pack(content))
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("kind", ["images", "labels"])
def test_exchanged_images_and_labels_are_named(tmp_path: Path, kind: idx.Kind) -> None:
    path = tmp_path / "file"
    path.write_bytes(idx_bytes(LABELS if kind == "images" else IMAGES))
    with pytest.raises(DataError, match=rf"expected 0x0000080\d \({kind}\); are the files .* exchanged"):
        read_idx(path, kind)


PACKED = gzip.compress(idx_bytes(IMAGES), mtime=0)


@pytest.mark.parametrize(
    "content",
    [
        PACKED[:-9],
        PACKED[:5],
        PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:],
        PACKED[:10] + b"\xff" * 20,
        PACKED[:2] + b"\x07" + PACKED[3:],
        PACKED + b"garbage",
    ],
    ids=["truncated", "half a header", "wrong checksum", "bad deflate", "unknown method", "trailing garbage"],
)
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"damaged gzip file \(.+\); expected a complete one; download"):
        read_idx(path)


@pytest.mark.parametrize(
    "content",
    [
        struct.pack(">4I", 0x0803, 1_000_000, 28, 28) + b"few",
        gzip.compress(struct.pack(">4I", 0x0803, 1_000_000, 28, 28) + b"few"),
        gzip.compress(struct.pack(">4I", 0x0803, 1, 2, 2) + bytes(50_000_000)),
    ],
    ids=["header of 784 MB, raw", "header of 784 MB, gzip", "bomb"],
)
def test_little_memory_is_used_for_a_header_or_a_bomb_that_promises_much(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"truncated|trailing"):
            read_idx(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000


def test_too_little_memory_is_a_data_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(idx, "_take", fail)
    path = write_split(tmp_path) / "train-images-idx3-ubyte"
    with pytest.raises(DataError, match="does not fit into memory"):
        read_idx(path)


def test_missing_files_folders_and_refused_permission_are_data_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="no such file; expected an IDX file"):
        read_idx(tmp_path / "missing")
    with pytest.raises(DataError, match="is a folder; expected an IDX file"):
        read_idx(tmp_path)
    path = write_split(tmp_path) / "train-images-idx3-ubyte"

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(DataError, match="train-images-idx3-ubyte: cannot be read: Permission denied; check"):
        read_idx(path)


# Mutated files never raise anything but DataError


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@tries(4000)
@given(
    array=st.sampled_from([IMAGES, LABELS]),
    edits=EDITS,
    when=st.sampled_from(["raw", "before gzip", "after gzip"]),
)
def test_a_mutated_file_is_read_whole_or_refused(
    scratch: Path, array: np.ndarray, edits: list[tuple[str, int, int, bytes]], when: str
) -> None:
    content = idx_bytes(array)
    if when == "after gzip":
        content = mutate(gzip.compress(content, mtime=0), edits)
    else:
        content = mutate(content, edits)
        content = gzip.compress(content, mtime=0) if when == "before gzip" else content
    path = scratch / "mutated"
    path.write_bytes(content)
    found = found_or_refusal(lambda: read_idx(path))
    if isinstance(found, DataError):
        assert str(path) in str(found)
    else:
        plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        assert idx_bytes(found) == plain
