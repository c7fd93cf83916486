"""Images and labels of another type are refused with one line of Python, and that line works."""

from __future__ import annotations

import contextlib
import gzip
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snstdp_cli.datasets import Dataset, load_dataset, read_idx
from snstdp_cli.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)
IMAGES[0, 0, :2] = 0, 255
LABELS = np.array([0, 1, 2, 0, 1, 2])
GREY: dict[str, Any] = {"train_images": IMAGES, "train_labels": LABELS, "test_images": IMAGES, "test_labels": LABELS}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def repaired(arrays: dict[str, Any]) -> tuple[Dataset, list[str]]:
    """Follow the advice of each refusal until the set is read; return it and the advice."""
    arrays, advice = dict(arrays), []
    for _ in range(6):
        np.savez("own.npz", **arrays)
        with contextlib.suppress(DataError):
            return load_dataset("own.npz", "train"), advice
        with pytest.raises(DataError) as caught:
            load_dataset("own.npz", "train")
        found = re.search(r": (\w+) = (.+)$", str(caught.value))
        assert found is not None, caught.value
        assert "\n" not in str(caught.value)
        # The line of the user: their arrays, and NumPy.
        arrays[found[1]] = eval(found[2], {"numpy": np, **arrays})
        advice.append(found[2])
    raise AssertionError(advice)


def records(values: np.ndarray, field: str) -> np.ndarray:
    made = np.zeros(len(values), [(field, values.dtype, values.shape[1:]), ("note", "i4")])
    made[field] = values
    return made


def boxes(values: np.ndarray) -> np.ndarray:
    made = np.empty(len(values), object)
    made[:] = list(values)
    return made


@pytest.mark.parametrize(
    ("images", "exact"),
    [
        (IMAGES.astype(np.int64), True),
        (IMAGES.astype(np.float64), True),
        (IMAGES / 255, True),
        (IMAGES.astype(np.float32) / 255, True),
        (IMAGES.astype(np.uint16) * 257, True),
        ((IMAGES / 255 - 0.3) / 0.4, False),
        (IMAGES.reshape(6, 16), True),
        (IMAGES.reshape(6, 16) / 255, True),
        (IMAGES[..., None], True),
        (IMAGES[:, None], True),
        (np.stack([IMAGES] * 3, axis=-1), True),
        (np.stack([IMAGES] * 3, axis=1) / 255, True),
        (records(IMAGES, "pixels"), True),
        (boxes(IMAGES), True),
        (IMAGES.astype(">f4"), True),
    ],
    ids=[
        "int64",
        "floats to 255",
        "floats to 1",
        "float32",
        "uint16",
        "standardized",
        "flat",
        "flat floats",
        "one channel",
        "channel first",
        "colours",
        "colours first, floats",
        "records",
        "objects",
        "big-endian",
    ],
)
def test_the_advice_for_images_makes_them_readable(images: np.ndarray, exact: bool) -> None:
    found, advice = repaired({**GREY, "train_images": images})
    assert advice
    assert found.images.shape == IMAGES.shape
    if exact:
        np.testing.assert_array_equal(found.images, IMAGES)
    else:
        assert (found.images.min(), found.images.max()) == (0, 255)


def test_true_and_false_become_black_and_white() -> None:
    found, advice = repaired({**GREY, "train_images": IMAGES > 127})
    assert advice == ["(train_images * 255).astype('uint8')"]
    np.testing.assert_array_equal(found.images, np.where(IMAGES > 127, 255, 0))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (np.array(["cat", "dog", "eel"] * 2), np.array(["dog", "cat", "eel", "eel", "eel", "eel"])),
        (np.array([b"cat", b"dog", b"eel"] * 2), np.array([b"dog", b"cat", b"eel", b"eel", b"eel", b"eel"])),
        (boxes(np.array(["cat", "dog", "eel"] * 2)), boxes(np.array(["dog", "cat", "eel", "eel", "eel", "eel"]))),
        (np.array([-1, 500, 900] * 2), np.array([500, -1, 900, 900, 900, 900])),
        (np.array([0.0, 1, 2] * 2), np.array([1.0, 0, 2, 2, 2, 2])),
        (np.eye(3)[LABELS], np.eye(3)[[1, 0, 2, 2, 2, 2]]),
        (LABELS[:, None], np.array([[1, 0, 2, 2, 2, 2]])),
        (records(LABELS, "class"), records(np.array([1, 0, 2, 2, 2, 2]), "class")),
    ],
    ids=["text", "bytes", "objects", "numbers", "floats", "one-hot", "columns", "records"],
)
def test_the_advice_for_labels_gives_a_class_one_number_in_both_splits(train: np.ndarray, test: np.ndarray) -> None:
    arrays: dict[str, Any] = {**GREY, "train_labels": train, "test_labels": test}
    advised: list[str] = []
    # Both splits are converted from what the user has, so the second line must not see the first one's result.
    for split in ("train", "test"):
        one = {**arrays, f"{'test' if split == 'train' else 'train'}_labels": LABELS}
        np.savez("own.npz", **one)
        with pytest.raises(DataError) as caught:
            load_dataset("own.npz", "train")
        found = re.search(rf": {split}_labels = (.+)$", str(caught.value))
        assert found is not None, caught.value
        advised.append(eval(found[1], {"numpy": np, **arrays}))
    np.testing.assert_array_equal(advised[0], LABELS)
    np.testing.assert_array_equal(advised[1], [1, 0, 2, 2, 2, 2])


def idx(code: int, array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", code << 8 | array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("labels", idx(0x0C, np.column_stack([LABELS] + [LABELS * 0 + 9] * 7).astype(">i4")), LABELS),
        ("labels", idx(0x0B, LABELS.astype(">i2")), LABELS),
        ("labels", idx(0x08, LABELS[:, None].astype("u1")), LABELS),
        ("images", idx(0x0D, (IMAGES / 255).astype(">f4")), IMAGES),
        ("images", idx(0x0C, IMAGES.astype(">i4")), IMAGES),
        ("images", idx(0x08, IMAGES.reshape(6, 16)), IMAGES),
        ("images", idx(0x08, np.stack([IMAGES] * 3, axis=-1)), IMAGES),
    ],
    ids=["idx2-int labels", "short labels", "idx2 labels", "floats", "ints", "flat", "colours"],
)
def test_the_advice_for_an_idx_file_rewrites_it(kind: Any, content: bytes, expected: np.ndarray, pack: Any) -> None:
    path = Path(f"own-idx{'.gz' if pack is gzip.compress else ''}")
    path.write_bytes(pack(content))
    with pytest.raises(DataError, match="found magic number") as caught:
        read_idx(path, kind)
    line = str(caught.value).partition("convert it with Python: ")[2]
    assert line
    assert "\n" not in line
    exec(line, {})
    np.testing.assert_array_equal(read_idx(Path("own-idx"), kind), expected)
