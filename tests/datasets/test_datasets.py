"""Data sets are found where the user says, and refused with a sentence when they are damaged."""

import gzip
import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fuzzing import tries
from hypothesis import given
from hypothesis import strategies as st
from idx_files import EDITS, IMAGES, LABELS, found_or_refusal, idx_bytes, mutate, write_split

from snstdp_cli.datasets import (
    Dataset,
    Split,
    fetch_dataset,
    find_dataset,
    load_dataset,
    loading,
    search_path,
)
from snstdp_cli.errors import DataError

pytestmark = pytest.mark.usefixtures("places")


def marked(folder: Path, value: int) -> Path:
    """Write a data set whose pixels are all `value`, to tell folders apart."""
    return write_split(folder, np.full((3, 2, 4), value, np.uint8))


def mark(found: Dataset) -> int:
    return int(found.images[0, 0, 0])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@tries(1500)
@given(edits=EDITS, kind=st.sampled_from(["images", "labels"]))
def test_a_mutated_data_set_fits_together_or_is_refused(
    scratch: Path, edits: list[tuple[str, int, int, bytes]], kind: str
) -> None:
    folder = write_split(scratch / "set")
    path = next(folder.glob(f"train-{kind}*"))
    path.write_bytes(mutate(path.read_bytes(), edits))
    found = found_or_refusal(lambda: load_dataset("mnist", "train", folder))
    if isinstance(found, DataError):
        assert str(folder) in str(found)
    else:
        assert len(found) == len(found.images) == len(found.labels) > 0
        assert found.n_input == math.prod(found.images.shape[1:]) > 0
        assert found.num_classes > found.labels.max()


# File names


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_every_usual_file_name_is_found(tmp_path: Path, split: Split, prefix: str, separator: str, suffix: str) -> None:
    pack = gzip.compress if suffix else bytes
    (tmp_path / f"{prefix}-images{separator}idx3-ubyte{suffix}").write_bytes(pack(idx_bytes(IMAGES)))
    (tmp_path / f"{prefix}-labels{separator}idx1-ubyte{suffix}").write_bytes(pack(idx_bytes(LABELS)))
    found = load_dataset("mnist", split, tmp_path)
    np.testing.assert_array_equal(found.images, IMAGES)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert (found.split, found.source, found.bundled) == (split, str(tmp_path), False)


@pytest.mark.parametrize("separator", ["-", "."])
def test_a_raw_file_is_preferred_to_a_gzipped_one(tmp_path: Path, separator: str) -> None:
    marked(tmp_path, 1)
    (tmp_path / "train-images-idx3-ubyte").rename(tmp_path / f"train-images{separator}idx3-ubyte")
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(IMAGES + 2)))
    assert mark(load_dataset("mnist", "train", tmp_path)) == 1


# Search order


def test_the_search_order_is_argument_variable_working_folder_cache_bundled(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_dataset("mnist", "train").bundled
    marked(places / "cache" / "snstdp" / "mnist", 1)
    assert mark(load_dataset("mnist", "train")) == 1
    marked(Path("MNIST"), 2)
    assert mark(load_dataset("mnist", "train")) == 2
    monkeypatch.setenv("SNSTDP_DATA", str(marked(places / "variable", 3)))
    assert mark(load_dataset("mnist", "train")) == 3
    assert mark(load_dataset("mnist", "train", marked(places / "argument", 4))) == 4


def test_fashion_mnist_is_found_in_its_folder_and_cache_and_never_in_those_of_mnist(places: Path) -> None:
    marked(Path("MNIST"), 1)
    marked(places / "cache" / "snstdp" / "mnist", 1)
    assert find_dataset("fashion-mnist", None) is None
    marked(places / "cache" / "snstdp" / "fashion-mnist", 2)
    assert mark(load_dataset("fashion-mnist", "train")) == 2
    marked(Path("Fashion-MNIST"), 3)
    assert mark(load_dataset("fashion-mnist", "train")) == 3


def test_a_subfolder_with_the_name_of_the_data_set_is_searched_after_its_folder(places: Path) -> None:
    marked(places / "data" / "fashion-mnist", 1)
    marked(places / "data" / "mnist", 2)
    assert mark(load_dataset("fashion-mnist", "train", places / "data")) == 1
    assert mark(load_dataset("mnist", "train", places / "data")) == 2
    assert find_dataset("mnist", places / "data") == places / "data" / "mnist"
    marked(places / "data", 3)
    assert mark(load_dataset("mnist", "train", places / "data")) == 3


def test_the_search_path_lists_folders_and_subfolders_in_order(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = places / "cache" / "snstdp" / "mnist"
    assert search_path("mnist") == [Path("MNIST"), Path("MNIST/mnist"), cache, cache / "mnist"]
    assert search_path("mnist", cache_dir=places)[2] == places / "mnist"
    assert search_path("fashion-mnist")[0] == Path("Fashion-MNIST")
    assert search_path("bundled") == []
    monkeypatch.setenv("SNSTDP_DATA", "here")
    assert search_path("mnist") == [Path("here"), Path("here/mnist")]
    assert search_path("mnist", Path("there")) == [Path("there"), Path("there/mnist")]


def test_another_cache_folder_can_be_given(places: Path) -> None:
    marked(places / "elsewhere" / "mnist", 5)
    assert mark(load_dataset("mnist", "train", cache_dir=places / "elsewhere")) == 5


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNSTDP_DATA", "")
    assert load_dataset("mnist", "test").bundled


def test_a_tilde_in_the_variable_is_the_home_folder(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(places))
    monkeypatch.setenv("USERPROFILE", str(places))
    monkeypatch.setenv("SNSTDP_DATA", "~/digits")
    marked(places / "digits", 6)
    assert mark(load_dataset("mnist", "train")) == 6


def test_an_asked_folder_without_files_is_an_error_and_no_fallback(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked(Path("MNIST"), 1)
    empty = places / "empty"
    empty.mkdir()
    names = r"train-images-idx3-ubyte or train-images\.idx3-ubyte \(or with \.gz\) and train-labels-idx1-ubyte"
    with pytest.raises(DataError, match=rf"empty: holds no files of mnist; expected.*{names}"):
        load_dataset("mnist", "train", empty)
    with pytest.raises(DataError, match=r"missing: no such folder; .*t10k-images"):
        load_dataset("mnist", "test", places / "missing")
    file = places / "file"
    file.touch()
    with pytest.raises(DataError, match="is a file, not a folder"):
        load_dataset("mnist", "train", file)
    with pytest.raises(DataError, match="no such folder"):
        load_dataset("mnist", "train", Path("a\0b"))
    monkeypatch.setenv("SNSTDP_DATA", str(empty))
    with pytest.raises(DataError, match=r"empty \(from \$SNSTDP_DATA\): holds no files"):
        load_dataset("mnist", "train")
    assert find_dataset("mnist", None) is None


def test_an_asked_folder_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\)"):
        load_dataset("mnist", "train", tmp_path)
    assert load_dataset("mnist", "train").bundled


def test_a_split_is_never_completed_from_another_folder() -> None:
    folder = write_split(Path("MNIST"))
    with pytest.raises(DataError, match=r"MNIST: holds files of mnist, but no images of the test split; expected t10k"):
        load_dataset("mnist", "test")
    (folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"but no labels of the train split; expected train-labels-idx1-ubyte or"):
        load_dataset("mnist", "train")


def test_a_named_data_set_is_found_in_torchvisions_folders(places: Path) -> None:
    write_split(places / "root" / "FashionMNIST" / "raw")
    write_split(Path("MNIST/raw"))
    assert find_dataset("fashion-mnist", places / "root") == places / "root" / "FashionMNIST" / "raw"
    assert find_dataset("mnist") == Path("MNIST/raw")


def test_files_under_other_names_are_read_by_their_path_and_named_otherwise(places: Path) -> None:
    folder = write_split(places / "letters")
    before = load_dataset(f"{folder}/", "train").sha256
    for path in list(folder.iterdir()):
        path.rename(folder / f"emnist-letters-{path.name}")
    (folder / "notes.txt").touch()
    hint = r"; are these the files, under other names\? emnist-letters-train-images-idx3-ubyte, emnist-"
    assert load_dataset(f"{folder}/", "train").sha256 == before
    with pytest.raises(DataError, match=r"holds no files of mnist; expected.*" + hint):
        load_dataset("mnist", "train", folder)


def test_missing_fashion_mnist_says_how_to_get_it() -> None:
    with pytest.raises(DataError, match=r"searched: Fashion-MNIST, .*run `snstdp data fetch fashion-mnist`"):
        load_dataset("fashion-mnist", "train")


@pytest.mark.parametrize("use", [lambda name: load_dataset(name, "train"), search_path, fetch_dataset])
def test_an_unknown_name_is_refused_and_a_near_one_suggested(use: Callable[[str], object]) -> None:
    with pytest.raises(DataError, match=r"unknown data set 'Fashion_MNIST'; expected .*; did you mean 'fashion-mnist'"):
        use("Fashion_MNIST")
    with pytest.raises(DataError, match=r"expected one of: mnist, fashion-mnist, bundled, or a path to your own$"):
        use("zzz")


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(DataError, match="unknown split 'validation'; expected one of: train, test"):
        load_dataset("mnist", "validation")  # type: ignore[arg-type]


# The data set


def test_a_label_of_255_is_refused(tmp_path: Path) -> None:
    write_split(tmp_path, labels=np.array([0, 255, 1], np.uint8))
    with pytest.raises(DataError, match="found the label 255 in the train split; expected 0 to 254"):
        load_dataset("mnist", "train", tmp_path)


def test_images_and_labels_of_different_number_are_refused(tmp_path: Path) -> None:
    write_split(tmp_path, IMAGES, LABELS[:2])
    with pytest.raises(DataError, match=r"3 images but 2 labels in the train split of mnist; expected as many"):
        load_dataset("mnist", "train", tmp_path)


def test_a_data_set_knows_its_sizes(tmp_path: Path) -> None:
    found = load_dataset("mnist", "train", write_split(tmp_path))
    assert (len(found), found.n_input, found.num_classes) == (3, 8, 10)


def test_classes_are_at_least_ten_for_mnist_and_more_if_labels_say_so(tmp_path: Path) -> None:
    few = load_dataset("mnist", "train", write_split(tmp_path, labels=np.array([0, 1, 1], np.uint8)))
    assert few.num_classes == 10
    assert few.classes.tolist() == [0, 1]
    many = load_dataset("mnist", "train", write_split(tmp_path, labels=np.array([0, 46, 1], np.uint8)))
    assert many.num_classes == 47
    own = load_dataset(f"{write_split(tmp_path, labels=np.array([3, 8, 8], np.uint8))}/", "train")
    assert (own.num_classes, own.classes.tolist()) == (9, [3, 8])


def test_the_digest_is_that_of_shape_pixels_and_labels_whatever_the_compression(tmp_path: Path) -> None:
    found = load_dataset("mnist", "train", write_split(tmp_path / "raw"))
    assert found.sha256 == hashlib.sha256(b"3x2x4\n" + IMAGES.tobytes() + LABELS.tobytes()).hexdigest()
    for path in (tmp_path / "raw").iterdir():
        packed = tmp_path / "packed" / f"{path.name}.gz"
        packed.parent.mkdir(exist_ok=True)
        packed.write_bytes(gzip.compress(path.read_bytes()))
    assert load_dataset("mnist", "train", tmp_path / "packed").sha256 == found.sha256
    turned = write_split(tmp_path / "turned", IMAGES.reshape(3, 4, 2))
    assert load_dataset("mnist", "train", turned).sha256 != found.sha256
    relabelled = write_split(tmp_path / "relabelled", labels=LABELS[::-1])
    assert load_dataset("mnist", "train", relabelled).sha256 != found.sha256


# The bundled subset


@pytest.mark.parametrize(
    ("split", "per_class", "first", "sha256"),
    [
        (
            "train",
            500,
            [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
            "ba9375f28917fba0501f752802cf7f68bc4837e8b52c85b697bd37481c8bedf2",
        ),
        (
            "test",
            100,
            [7, 2, 1, 0, 4, 1, 4, 9, 5, 9],
            "289dd1188a257e80fa3e073291c137aef556e1cb0a8f78bee3354f2c59ac7e00",
        ),
    ],
)
def test_the_bundled_subset_is_stratified_in_the_order_of_mnist_and_never_changes(
    split: Split, per_class: int, first: list[int], sha256: str
) -> None:
    found = load_dataset("bundled", split)
    assert found.images.shape == (10 * per_class, 28, 28)
    assert np.bincount(found.labels).tolist() == [per_class] * 10
    assert found.labels[:10].tolist() == first
    assert found.sha256 == sha256
    assert (found.name, found.source, found.bundled) == ("bundled", "bundled subset", True)


def test_mnist_falls_back_to_the_bundled_subset_and_says_so() -> None:
    found = load_dataset("mnist", "test")
    assert (found.name, found.bundled, found.source) == ("mnist", True, "bundled subset")
    assert found.sha256 == load_dataset("bundled", "test").sha256
    assert find_dataset("mnist", None) is None


def test_the_bundled_subset_is_taken_whatever_folder_is_named(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNSTDP_DATA", str(places / "missing"))
    assert load_dataset("bundled", "test", marked(places / "argument", 1)).bundled
    assert find_dataset("bundled", places / "argument") is None


def test_an_incomplete_installation_is_a_data_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz: No such file.*install snstdp again"):
        load_dataset("bundled", "train")


def test_each_file_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = loading.read_idx

    def read_and_note(path: Path, what: str) -> np.ndarray:
        read.append(path.name)
        return original(path, what)

    monkeypatch.setattr(loading, "read_idx", read_and_note)
    load_dataset("mnist", "train", write_split(tmp_path))
    assert len(read) == len(set(read)) == 2
