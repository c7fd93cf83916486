"""The same 24 images of three classes in every format that is read, written by the packages that usually do."""

from __future__ import annotations

import gzip
import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 6
WORDS = ("ant", "bee", "cat")
_RANDOM = np.random.default_rng(3)
TRAIN = _RANDOM.integers(0, 256, (16, SIDE, SIDE), dtype=np.uint8)
TEST = _RANDOM.integers(0, 256, (8, SIDE, SIDE), dtype=np.uint8)
#: Neither all zero nor all alike in the first column, so that no layout is guessed by chance.
TRAIN_LABELS = (np.arange(16) % 3).astype(np.uint8)
TEST_LABELS = (np.arange(8) % 3).astype(np.uint8)
SPLITS = {"train": (TRAIN, TRAIN_LABELS), "test": (TEST, TEST_LABELS)}


def encoded(image: NDArray[np.uint8], kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind)
    return stream.getvalue()


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes()


def csv_text(images: NDArray[np.uint8], labels: NDArray[np.uint8], *, header: bool, last: bool = False) -> str:
    flat = images.reshape(len(images), -1)
    names = ["label", *(f"pixel{k}" for k in range(flat.shape[1]))]
    rows = [[str(label), *map(str, row)] for label, row in zip(labels, flat, strict=True)]
    lines = [names, *rows] if header else rows
    return "".join(",".join([*line[1:], line[0]] if last else line) + "\n" for line in lines)


def keras(folder: Path) -> Path:
    path = folder / "mnist.npz"
    np.savez(path, x_train=TRAIN, y_train=TRAIN_LABELS, x_test=TEST, y_test=TEST_LABELS)
    return path


def keras_floats(folder: Path) -> Path:
    path = folder / "floats.npz"
    train, test = ((one / 255).astype(np.float32)[..., None] for one in (TRAIN, TEST))
    np.savez(path, x_train=train, y_train=np.eye(3)[TRAIN_LABELS], x_test=test, y_test=TEST_LABELS[:, None])
    return path


def npz_of_one_split(folder: Path) -> Path:
    for split, (images, labels) in SPLITS.items():
        np.savez(folder / f"my_{split}.npz", X=images, y=labels)
    return folder / "my_train.npz"


def kmnist(folder: Path) -> Path:
    for split, pair in SPLITS.items():
        for kind, array in zip(("imgs", "labels"), pair, strict=True):
            np.savez_compressed(folder / f"kmnist-{split}-{kind}.npz", array)
    return folder


def kmnist_file(folder: Path) -> Path:
    return kmnist(folder) / "kmnist-test-labels.npz"


def torchvision(folder: Path) -> Path:
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for prefix, (images, labels) in zip(("train", "t10k"), SPLITS.values(), strict=True):
        for name, array in ((f"{prefix}-images-idx3-ubyte", images), (f"{prefix}-labels-idx1-ubyte", labels)):
            (raw / name).write_bytes(idx_bytes(array))
            (raw / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(array)))
    return folder


def emnist_idx(folder: Path) -> Path:
    for split, (images, labels) in SPLITS.items():
        (folder / f"emnist-my-{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(images)))
        (folder / f"emnist-my-{split}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    return folder / "emnist-my-train-images-idx3-ubyte.gz"


def csv_with_header(folder: Path) -> Path:
    for split, pair in SPLITS.items():
        (folder / f"my_{split}.csv").write_text(csv_text(*pair, header=True))
    return folder / "my_train.csv"


def csv_without_header(folder: Path) -> Path:
    for split, pair in SPLITS.items():
        (folder / f"my_{split}.csv.gz").write_bytes(gzip.compress(csv_text(*pair, header=False).encode()))
    return folder


def csv_label_last(folder: Path) -> Path:
    for split, pair in SPLITS.items():
        text = csv_text(*pair, header=True, last=True).replace(",", ";")
        (folder / f"my_{split}.csv").write_text("﻿" + text)
    return folder / "my_test.csv"


def parquet_pictures(folder: Path) -> Path:
    pa, pq = _pyarrow()
    (folder / "data").mkdir()
    for split, (images, labels) in SPLITS.items():
        half = len(images) // 2
        for part, rows in enumerate((slice(0, half), slice(half, None))):
            columns = {
                "image": [{"bytes": encoded(one), "path": None} for one in images[rows]],
                "label": pa.array(labels[rows].astype(np.int64)),
            }
            pq.write_table(pa.table(columns), folder / "data" / f"{split}-{part:05}-of-00002.parquet")
    return folder


def parquet_pixels(folder: Path) -> Path:
    pa, pq = _pyarrow()
    for split, (images, labels) in SPLITS.items():
        flat = images.reshape(len(images), -1)
        columns = {"label": pa.array(labels)} | {f"pixel{k}": pa.array(flat[:, k]) for k in range(flat.shape[1])}
        pq.write_table(pa.table(columns), folder / f"my_{split}.parquet")
    return folder / "my_train.parquet"


def parquet_lists(folder: Path) -> Path:
    pa, pq = _pyarrow()
    for split, (images, labels) in SPLITS.items():
        columns = {"pixels": images.tolist(), "target": pa.array(labels)}
        pq.write_table(pa.table(columns), folder / f"my_{split}.parquet")
    return folder / "my_train.parquet"


def emnist_mat(folder: Path) -> Path:
    scipy_io = _scipy_io()
    parts = {
        split: {"images": images.transpose(0, 2, 1).reshape(len(images), -1), "labels": labels[:, None].astype(float)}
        for split, (images, labels) in SPLITS.items()
    }
    scipy_io.savemat(folder / "emnist.mat", {"dataset": {**parts, "writers": "nobody"}}, do_compression=True)
    return folder / "emnist.mat"


def svhn_mat(folder: Path) -> Path:
    for split, (images, labels) in SPLITS.items():
        content = {"X": np.moveaxis(images, 0, -1)[:, :, None], "y": labels[:, None]}
        _scipy_io().savemat(folder / f"{split}_6x6.mat", content)
    return folder


#: By name: writes the files into a folder and returns what to load.
FORMATS: dict[str, Callable[[Path], Path]] = {
    one.__name__: one
    for one in (
        *(keras, keras_floats, npz_of_one_split, kmnist, kmnist_file, torchvision, emnist_idx),
        *(csv_with_header, csv_without_header, csv_label_last),
        *(parquet_pictures, parquet_pixels, parquet_lists, emnist_mat, svhn_mat),
    )
}


def class_folders(folder: Path, kind: str = "PNG", suffix: str = ".png", *, splits: bool = True) -> Path:
    """Write a folder of pictures for each class, by words; with or without splits."""
    for split, (images, labels) in SPLITS.items():
        for k, (image, label) in enumerate(zip(images, labels, strict=True)):
            place = folder / (split if splits else "") / WORDS[label]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{split}{k:02}{suffix}").write_bytes(encoded(image, kind))
    return folder


def hugging_face_names(names: list[str]) -> dict[bytes, bytes]:
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


def _pyarrow() -> tuple[Any, Any]:
    import pytest

    return pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")


def _scipy_io() -> Any:
    import pytest

    return pytest.importorskip("scipy.io")
