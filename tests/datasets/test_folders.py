"""Folders in which a data set lies: alone, deeper than was named, or beside figures that were drawn of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from image_files import FORMATS, TEST, TRAIN, WORDS, class_folders, idx_bytes
from PIL import Image

from snstdp_cli.config import build_experiment
from snstdp_cli.datasets import load_dataset
from snstdp_cli.errors import DataError


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(name: str, **inputs: object) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(name, "train", inputs=build_experiment({"input": inputs}).input)
    return str(caught.value)


@pytest.mark.parametrize("write", [FORMATS["keras"], FORMATS["keras_floats"]])
def test_the_only_archive_in_a_folder_is_read(tmp_path: Path, write: object) -> None:
    Path("some").mkdir()
    write(Path("some"))  # type: ignore[operator]
    assert np.array_equal(load_dataset("./some", "test").images, TEST)
    np.savez("some/more.npz", X=TRAIN)
    assert "name what lies in it: some/" in refusal("./some")


def test_our_own_archive_is_read_by_its_folder_too() -> None:
    Path("own").mkdir()
    labels = {f"{split}_labels": np.zeros(len(one), int) for split, one in (("train", TRAIN), ("test", TEST))}
    np.savez("own/own.npz", train_images=TRAIN, test_images=TEST, **labels)
    assert np.array_equal(load_dataset("./own", "train").images, TRAIN)


def test_parquet_files_lie_in_a_folder_of_any_name() -> None:
    """A clone from Hugging Face's hub holds its files in `data/`, or in a folder of the configuration's name."""
    pytest.importorskip("pyarrow")
    Path("mnist").mkdir()
    Path(FORMATS["parquet_pictures"](Path("mnist")), "data").rename("mnist/mnist")
    assert np.array_equal(load_dataset("./mnist", "test").images, TEST)
    FORMATS["parquet_pixels"](Path("mnist/mnist"))
    told = refusal("./mnist")
    assert "holds several data sets ('mnist/my_train.parquet', " in told
    assert "such as mnist/mnist/my_train.parquet" in told


@pytest.mark.parametrize("named", ["./some", "some/my_train.npz", "some/my_test.npz"])
def test_one_split_a_file_belongs_to_the_other_beside_it(named: str) -> None:
    Path("some").mkdir()
    FORMATS["npz_of_one_split"](Path("some"))
    assert np.array_equal(load_dataset(named, "train").images, TRAIN)
    assert np.array_equal(load_dataset(named, "test").images, TEST)


def test_one_split_whose_other_has_no_labels_or_is_not_there_is_one_to_divide() -> None:
    Path("some").mkdir()
    path = FORMATS["npz_of_one_split"](Path("some"))
    np.savez("some/my_test.npz", X=TEST)
    found = load_dataset("./some", "train")
    assert np.array_equal(found.images, TRAIN)
    assert found.warnings == ("some/my_test.npz: has no labels under a name that is known and is not used",)
    path.rename("some/my_test.npz")
    found = load_dataset("some/my_test.npz", "test", inputs=build_experiment({"input": {"test_share": 0.5}}).input)
    assert 0 < len(found) < len(TRAIN)


def test_of_files_that_belong_together_one_is_told() -> None:
    for name in ("digits", "letters"):
        for kind, content in (("images-idx3", TRAIN), ("labels-idx1", TRAIN[:, 0, 0])):
            place = Path("data/EMNIST/raw", f"emnist-{name}-train-{kind}-ubyte")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(idx_bytes(content))
    place = "data/EMNIST/raw/emnist-"
    told = f"name what lies in it: {place}digits-train-images-idx3-ubyte or {place}letters-train-images-idx3-ubyte"
    assert refusal("./data").endswith(told)


@pytest.mark.parametrize(
    ("name", "typed"),
    [("keras", "downloads/mnist.npz"), ("torchvision", "./downloads"), ("csv_with_header", "downloads/my_test.csv")],
)
def test_what_lies_deeper_is_told_as_it_is_typed(name: str, typed: str) -> None:
    Path("downloads").mkdir()
    FORMATS[name](Path("downloads"))
    told = refusal("./")
    assert "is a folder without a data set of its own; name what lies in it: " + typed in told
    assert len(load_dataset(typed, "train")) == len(TRAIN)


def test_pictures_that_lie_deeper_are_told() -> None:
    class_folders(Path("some/letters"))
    assert refusal("./").endswith("name what lies in it: some/letters")
    assert load_dataset("some/letters", "train").class_names == WORDS


def test_a_contact_sheet_beside_the_classes_is_no_class() -> None:
    folder = class_folders(Path("letters"), splits=False)
    before = load_dataset("./letters", "train").identity.set_digest
    (folder / "figures").mkdir()
    Image.new("L", (300, 200)).save(folder / "figures" / "letters.data.png")
    (folder / "figures" / "letters.data.svg").write_text("<svg/>")
    found = load_dataset("./letters", "train")
    assert found.class_names == WORDS
    assert found.identity.set_digest == before
    (folder / "figures" / "letters.data.svg").unlink()
    assert "expected images of one size" in refusal("./letters")
    assert len(load_dataset("./letters", "train", inputs=build_experiment({"input": {"size": 6}}).input).classes) == 4


def test_pictures_that_are_too_large_are_made_smaller_by_a_setting() -> None:
    Path("photos/a").mkdir(parents=True)
    Image.new("L", (300, 300), 99).save("photos/a/1.png")
    assert refusal("./photos").endswith("make them smaller: --set input.size=28")
    assert load_dataset("./photos", "train", inputs=build_experiment({"input": {"size": 28}}).input).n_input == 784
