"""What images are is told by their content: MNIST, Fashion-MNIST, the bundled subset, or unknown images."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from idx_files import IMAGES, LABELS, idx_bytes, write_split

from snstdp_cli.datasets import Dataset, Split, find_dataset, from_arrays, load_dataset
from snstdp_cli.datasets.published import DIGESTS
from snstdp_cli.errors import DataError

pytestmark = pytest.mark.usefixtures("places")
SPLITS: tuple[Split, ...] = ("train", "test")
#: Where the genuine files lie, on a machine that has them: where the user says, and where Debian's package puts them.
GENUINE = {
    "mnist": Path(os.environ.get("SNSTDP_DATA") or "no folder"),
    "fashion-mnist": Path("/usr/share/datasets/fashion-mnist"),
}


def marked(folder: Path, value: int) -> Path:
    """Write a data set whose pixels are all `value`, to tell folders apart."""
    return write_split(folder, np.full((3, 2, 4), value, np.uint8))


def mark(found: Dataset) -> int:
    return int(found.images[0, 0, 0])


# Unknown images in MNIST's files


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("split", SPLITS)
def test_unknown_images_under_known_names_are_not_taken_for_the_known_set(
    tmp_path: Path, name: str, split: Split
) -> None:
    folder = write_split(tmp_path, np.zeros((3, 56, 28), np.uint8), prefix="train" if split == "train" else "t10k")
    found = load_dataset(name, split, folder)
    title = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}[name]
    assert (found.identity.known, found.identity.name) == (False, f"unknown images in {title}'s files")
    (warning,) = found.warnings
    assert warning.startswith(f"{folder}: the files have the names of {title}'s, but hold other images (3 of 56 x 28")
    assert "compare with nothing published" in warning


def test_own_images_are_called_by_their_path_and_need_no_warning(tmp_path: Path) -> None:
    found = load_dataset(f"{write_split(tmp_path)}/", "train")
    assert (found.identity.known, found.identity.name, found.warnings) == (False, f"{tmp_path}/", ())


def test_packing_naming_or_placing_the_files_otherwise_changes_no_identity(tmp_path: Path) -> None:
    bundled = {split: load_dataset("bundled", split) for split in SPLITS}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        write_split(tmp_path / "raw", bundled[split].images, bundled[split].labels, prefix)
    (tmp_path / "packed").mkdir()
    for path in (tmp_path / "raw").iterdir():
        (tmp_path / "packed" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
    arrays = {f"{s}_{k}": getattr(found, k) for s, found in bundled.items() for k in ("images", "labels")}
    np.savez(tmp_path / "own.npz", **arrays)
    for split in SPLITS:
        for name in (f"{tmp_path}/raw", f"{tmp_path}/packed", f"{tmp_path}/own.npz"):
            found = load_dataset(name, split)
            assert found.identity == bundled[split].identity
            assert found.bundled
        assert load_dataset("mnist", split, tmp_path / "packed").identity == bundled[split].identity


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_genuine_images_are_known_also_unpacked(name: str, tmp_path: Path) -> None:
    folder = GENUINE[name]
    if not folder.is_dir():
        pytest.skip(f"this machine has no {name}")
    for path in folder.glob("t10k*.gz"):
        (tmp_path / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    assert load_dataset(name, "train", folder).identity.known
    found = load_dataset(name, "test", tmp_path)
    assert (found.identity.known, found.warnings) == (True, ())
    with pytest.raises(DataError, match=f"these are the images of {name}"):
        load_dataset({"mnist": "fashion-mnist", "fashion-mnist": "mnist"}[name], "test", tmp_path)


# One set has two splits


def test_training_and_test_images_of_one_set_are_told_to_belong_together(tmp_path: Path) -> None:
    write_split(tmp_path / "a")
    write_split(tmp_path / "a", IMAGES + 1, prefix="t10k")
    write_split(tmp_path / "b")
    write_split(tmp_path / "b", IMAGES + 2, prefix="t10k")
    a, b = ({split: load_dataset(f"{tmp_path}/{name}", split).identity for split in SPLITS} for name in "ab")
    assert a["train"].set_digest == a["test"].set_digest
    assert b["train"].set_digest == b["test"].set_digest
    assert a["train"].digest == b["train"].digest
    assert a["train"].set_digest != b["train"].set_digest
    assert a["test"].digest != a["train"].digest
    bundled = {load_dataset("bundled", split).identity.set_digest for split in SPLITS}
    assert len(bundled) == 1
    assert bundled.isdisjoint({a["train"].set_digest})


def test_classes_are_those_of_both_splits(tmp_path: Path) -> None:
    write_split(tmp_path, labels=np.array([3, 8, 3], np.uint8))
    write_split(tmp_path, IMAGES + 1, np.array([8, 5, 8], np.uint8), prefix="t10k")
    for split in SPLITS:
        assert load_dataset(f"{tmp_path}/", split).classes.tolist() == [3, 5, 8]
    assert load_dataset("bundled", "test").classes.tolist() == list(range(10))


def test_the_training_images_as_test_images_are_told(tmp_path: Path) -> None:
    write_split(tmp_path)
    write_split(tmp_path, prefix="t10k")
    (warning,) = load_dataset(f"{tmp_path}/", "test").warnings
    assert warning.startswith(f"{tmp_path}: 3 of 3 images of one split are in the other one too; an accuracy on images")


def test_few_training_images_among_the_test_images_are_counted(tmp_path: Path) -> None:
    write_split(tmp_path)
    write_split(tmp_path, np.concatenate([IMAGES[1:2], IMAGES + 100]), np.arange(4, dtype=np.uint8), prefix="t10k")
    (warning,) = load_dataset(f"{tmp_path}/", "train").warnings
    assert warning.startswith(f"{tmp_path}: 1 of 3 images of one split are in the other one too")


def test_the_known_training_images_are_no_known_test_images(tmp_path: Path) -> None:
    train = load_dataset("bundled", "train")
    write_split(tmp_path, train.images, train.labels, prefix="t10k")
    assert not load_dataset(f"{tmp_path}/", "test").identity.known


def test_splits_of_different_image_sizes_are_refused(tmp_path: Path) -> None:
    write_split(tmp_path)
    write_split(tmp_path, IMAGES.reshape(3, 4, 2), prefix="t10k")
    with pytest.raises(DataError, match=r"found images of 2 x 4 \(train\) and 4 x 2 \(test\) pixels"):
        load_dataset("mnist", "train", tmp_path)


def test_a_damaged_test_split_is_told_before_the_training(tmp_path: Path) -> None:
    write_split(tmp_path)
    write_split(tmp_path, prefix="t10k")
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(IMAGES)[:-1])
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte: truncated"):
        load_dataset("mnist", "train", tmp_path)


# Arrays in memory


def test_arrays_in_memory_are_the_same_set_as_their_files(tmp_path: Path) -> None:
    folder = write_split(write_split(tmp_path), IMAGES + 1, prefix="t10k")
    filed = load_dataset(f"{folder}/", "train")
    found = from_arrays(IMAGES, LABELS.astype(np.int64), name="mine", other=(IMAGES + 1, LABELS))
    assert (found.name, found.identity.name, found.source, found.split) == ("mine", "mine", "mine", "train")
    assert found.sha256 == filed.sha256
    assert found.identity.set_digest == filed.identity.set_digest
    assert not found.images.flags.writeable


def test_arrays_are_copied_and_checked() -> None:
    images = IMAGES.copy()
    found = from_arrays(images, LABELS)
    images[:] = 0
    np.testing.assert_array_equal(found.images, IMAGES)
    with pytest.raises(DataError, match=r"^images: .* float64 .*: images = \(images \* 255\)\.round\(\)\.astype"):
        from_arrays(IMAGES / 255, LABELS)
    with pytest.raises(DataError, match=r"^labels: .*: labels = numpy\.searchsorted"):
        from_arrays(IMAGES, LABELS.astype(str))
    with pytest.raises(DataError, match="found images of different sizes"):
        from_arrays([IMAGES[0], IMAGES[0, 1:]], LABELS[:2])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="3 images but 2 labels"):
        from_arrays(IMAGES, LABELS[:2])
    with pytest.raises(DataError, match="expected at most 65,536"):
        from_arrays(np.zeros((1, 300, 300), np.uint8), LABELS[:1])


# Content that is known to be another data set's: MNIST and Fashion-MNIST have the same file names


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Call images of 1 MNIST's, those of 2 Fashion-MNIST's and those of 3 the bundled ones, in both splits."""
    found = {}
    for value, name in enumerate(("mnist", "fashion-mnist", "bundled"), 1):
        digest = hashlib.sha256(b"3x2x4\n" + bytes([value] * 24) + LABELS.tobytes()).hexdigest()
        monkeypatch.setitem(DIGESTS, name, {"train": digest, "test": digest})
        found[name] = digest
    return found


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(("name", "value", "other"), [("fashion-mnist", 1, "mnist"), ("mnist", 2, "fashion-mnist")])
def test_the_images_of_another_data_set_are_refused_by_name(
    places: Path,
    monkeypatch: pytest.MonkeyPatch,
    known: dict[str, str],
    split: Split,
    name: str,
    value: int,
    other: str,
) -> None:
    folder = places / "wrong"
    write_split(folder, np.full((3, 2, 4), value, np.uint8), prefix="train" if split == "train" else "t10k")
    message = rf"wrong: these are the images of {other}, not of {name} .*by --data-dir, or ask for --data {other}$"
    with pytest.raises(DataError, match=message):
        load_dataset(name, split, folder)
    monkeypatch.setenv("SNSTDP_DATA", str(folder))
    with pytest.raises(DataError, match=message):
        load_dataset(name, split)
    assert find_dataset(name) is None
    assert load_dataset(other, split).sha256 == known[other]
    assert find_dataset(other) == folder
    assert load_dataset(f"{folder}/", split).sha256 == known[other]


def test_one_split_of_another_data_set_is_refused_when_it_is_loaded(tmp_path: Path, known: dict[str, str]) -> None:
    write_split(tmp_path, prefix="t10k")
    marked(tmp_path, 1)
    assert len(load_dataset("fashion-mnist", "test", tmp_path)) == 3
    with pytest.raises(DataError, match="these are the images of mnist, not of fashion-mnist"):
        load_dataset("fashion-mnist", "train", tmp_path)


def test_a_folder_with_another_data_set_is_passed_over_for_the_next(places: Path, known: dict[str, str]) -> None:
    marked(places / "both", 1)
    marked(places / "both" / "fashion-mnist", 2)
    assert mark(load_dataset("fashion-mnist", "train", places / "both")) == 2
    marked(Path("MNIST"), 2)
    with pytest.raises(DataError, match=r"^MNIST: these are the images of fashion-mnist, not of mnist"):
        load_dataset("mnist", "train")
    marked(places / "cache" / "snstdp" / "mnist", 1)
    assert mark(load_dataset("mnist", "train")) == 1


def test_a_copy_of_the_bundled_files_is_mnist_and_known_to_be_the_subset(tmp_path: Path, known: dict[str, str]) -> None:
    found = load_dataset("mnist", "train", marked(tmp_path, 3))
    assert (found.bundled, found.source) == (True, str(tmp_path))
    with pytest.raises(DataError, match="these are the images of bundled, not of fashion-mnist"):
        load_dataset("fashion-mnist", "train", tmp_path)


def test_a_damaged_set_is_not_taken_for_another_one(tmp_path: Path) -> None:
    (marked(tmp_path, 1) / "train-images-idx3-ubyte").write_bytes(b"damaged")
    assert find_dataset("fashion-mnist", tmp_path) == tmp_path
    with pytest.raises(DataError, match="found magic number"):
        load_dataset("fashion-mnist", "train", tmp_path)
