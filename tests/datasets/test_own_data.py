"""Images of the user's own: .npz files and IDX folders by path, what is refused, and the documentation's example."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzzing import tries
from hypothesis import given
from hypothesis import strategies as st
from synthetic import write_idx_set

from snstdp_cli.artefacts.provenance import describe_data
from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.config.experiment import is_data_path
from snstdp_cli.datasets import fetch_dataset, find_dataset, load_dataset, search_path
from snstdp_cli.errors import ConfigError, DataError

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "own-data.md"
IMAGES = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)
GOOD: dict[str, Any] = {
    "train_images": IMAGES,
    "train_labels": np.array([0, 2, 1, 2]),
    "test_images": IMAGES[:2] + 100,
    "test_labels": np.array([1, 0], np.uint8),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder; `$SNSTDP_DATA` names another place, which a path must not care about."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNSTDP_DATA", "elsewhere")
    return tmp_path


def write(**changes: Any) -> str:
    """Write own.npz with some arrays changed (None: left out); return its path."""
    arrays = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    np.savez_compressed("own.npz", **arrays)
    return "own.npz"


def refusal(data: str) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(data, "train")
    return str(caught.value)


# The configuration


@pytest.mark.parametrize("data", ["own.npz", "./letters", "a/b.npz", "/data/letters/", "../up one/x.npz", "~/é.npz"])
def test_the_key_data_takes_a_path(data: str) -> None:
    experiment = build_experiment({"data": data}, where="my.yaml")
    assert experiment.data == data
    assert is_data_path(data)
    assert Experiment.model_validate_json(experiment.model_dump_json()) == experiment


@pytest.mark.parametrize("data", ["a\0.npz", "./a\nb", "x/" * 501, "letters.", "two words", "..", "", "nul", "a\\b"])
def test_other_values_are_still_refused_and_the_sentence_tells_of_paths(data: str) -> None:
    with pytest.raises(ConfigError, match=r"^my.yaml: data: found .*; expected .*path") as caught:
        build_experiment({"data": data}, where="my.yaml")
    assert len(str(caught.value)) < 300


# .npz files


def test_both_splits_of_an_npz_file_are_read_as_they_were_written() -> None:
    train, test = load_dataset(write(), "train"), load_dataset("own.npz", "test")
    np.testing.assert_array_equal(train.images, IMAGES)
    assert train.labels.tolist() == [0, 2, 1, 2]
    assert train.labels.dtype == np.uint8
    np.testing.assert_array_equal(test.images, GOOD["test_images"])
    assert not train.images.flags.writeable
    assert not train.labels.flags.writeable
    assert (train.name, train.source, train.split, train.bundled) == ("own.npz", "own.npz", "train", False)
    assert (train.n_input, train.num_classes, test.num_classes) == (6, 3, 3)
    assert train.classes.tolist() == test.classes.tolist() == [0, 1, 2]


def test_provenance_names_the_path_as_it_was_given_and_the_content(folder: Path) -> None:
    told = describe_data(load_dataset(f"{folder}/{write()}", "test"))
    assert told.name == f"{folder}/own.npz"
    assert (told.num_images, told.image_shape, told.classes) == (2, (2, 3), (0, 1, 2))
    assert len(told.sha256) == 64


def test_an_order_of_memory_a_type_of_labels_or_further_arrays_change_nothing() -> None:
    plain = load_dataset(write(), "train")
    turned = write(
        train_images=np.asfortranarray(IMAGES), train_labels=GOOD["train_labels"].astype(np.int8), note=np.ones(3)
    )
    assert load_dataset(turned, "train").sha256 == plain.sha256


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"test_labels": None},
            r"holds test_images, train_images, train_labels; missing: test_labels; write all four: nu",
        ),
        (
            {"train_images": IMAGES / 255},
            r"train_images: found values of type float64 from 0 to 0\.09.*\* 255\)\.round",
        ),
        (
            {"test_images": IMAGES.astype(np.int64)},
            r"test_images: .*int64 from 0 to 23.*: test_images = test_images\.astype\('uint8'\)$",
        ),
        ({"train_images": IMAGES > 3}, r"found values of type bool, expected grey values of 0 to 255 of type uint8"),
        ({"train_images": IMAGES / np.nan}, r"from nan to nan, expected grey"),
        ({"train_images": IMAGES.reshape(4, 6)}, r"shape 4 x 6, expected \[num, rows, cols\].*reshape flat images"),
        ({"train_images": IMAGES[..., None]}, r"shape 4 x 2 x 3 x 1, expected .*turn colours into grey"),
        ({"train_images": IMAGES[:0]}, r"shape 0 x 2 x 3, expected .*at least one image"),
        (
            {"test_images": IMAGES[:2, :1]},
            r"found train_images 2 x 3 and test_images 1 x 3; expected images of one size",
        ),
        (
            {"train_labels": np.array([0, 1, 2, 255])},
            r"labels of 0 to 255, expected 0 to 254; number the classes from 0",
        ),
        ({"test_labels": np.array([-1, 0])}, r"test_labels: found labels of -1 to 0, expected 0 to 254"),
        ({"train_labels": np.array([0.0, 1, 2, 2])}, r"type float64, expected \[num\] whole numbers"),
        ({"train_labels": np.eye(4, dtype=int)}, r"shape 4 x 4 of type int64, expected \[num\] whole numbers"),
        ({"train_labels": np.array([0, 1])}, r"4 images but 2 labels in the train split"),
    ],
)
def test_an_array_that_cannot_be_used_is_refused_with_what_to_do(changes: dict[str, Any], message: str) -> None:
    found = refusal(write(**changes))
    assert found.startswith("own.npz")
    assert re.search(message, found), found


def packed() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **GOOD)
    return buffer.getvalue()


PACKED = packed()


@tries(500)
@given(at=st.integers(0, len(PACKED) - 1), value=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_archive_is_read_whole_or_refused(at: int, value: int, cut: bool) -> None:
    changed = bytearray(PACKED)
    changed[at] = value
    Path("damaged.npz").write_bytes(changed[:at] if cut else changed)
    found: Any = None
    try:
        found = load_dataset("damaged.npz", "train")
    except DataError as error:
        found = str(error)
    if isinstance(found, str):
        assert "damaged.npz" in found
    else:
        assert len(found.images) == len(found.labels) == 4


# Paths


def test_a_folder_of_idx_files_is_read_by_its_path(folder: Path) -> None:
    write_idx_set(folder / "letters")
    for data in ("./letters", "letters/", f"{folder}/letters"):
        found = load_dataset(data, "test")
        assert (found.name, found.images.shape, found.num_classes) == (data, (10, 6, 6), 4)
    assert search_path("./letters") == [Path("letters")]
    assert find_dataset("./letters") == Path("letters")
    assert find_dataset("./nothing") is None


def test_the_same_images_have_the_same_digest_in_both_formats(folder: Path) -> None:
    write_idx_set(folder / "letters")
    sets = {split: load_dataset("./letters", split) for split in ("train", "test")}
    arrays = {f"{split}_images": found.images for split, found in sets.items()}
    arrays |= {f"{split}_labels": found.labels.astype(np.int32) for split, found in sets.items()}
    np.savez("letters.npz", **arrays)
    assert load_dataset("letters.npz", "test").sha256 == sets["test"].sha256


def test_what_is_not_there_or_no_data_set_is_refused_with_what_is_expected(folder: Path) -> None:
    Path("empty").mkdir()
    Path("file.txt").touch()
    assert re.search(
        r"^no.npz: no such file or folder \(looked for in .+\); expected an IDX, \.npz, .*, or a folder",
        refusal("no.npz"),
    )
    assert "letters: no such file or folder; expected" in refusal(f"{folder}/letters")
    assert "file.txt: is empty; expected an IDX, .npz, " in refusal("./file.txt")
    assert "empty: is a folder without a data set; expected an IDX, .npz, " in refusal("./empty")
    Path("own.npz").write_bytes(b"no archive")
    assert "own.npz: not an intact .npz archive" in refusal("own.npz")
    with pytest.raises(DataError, match="is your own data, there is nothing to fetch"):
        fetch_dataset("own.npz")


def test_a_name_beside_which_such_a_folder_or_file_lies_is_met_with_its_path(folder: Path) -> None:
    Path("letters").mkdir()
    assert refusal("letters").endswith("or a path to your own; did you mean './letters'?")
    write()
    assert refusal("own").endswith("did you mean 'own.npz'?")


# The documentation


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.compiles
def test_the_commands_of_the_documentation_work_as_they_stand_and_the_bars_are_learned(folder: Path) -> None:
    shutil.copytree(ROOT / "examples", "examples")
    blocks = re.findall(r"```(sh|python)\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert [kind for kind, _ in blocks] == ["sh", "python", "sh"]
    scores = []
    for kind, text in blocks:
        if kind == "python":
            run([sys.executable, "-c", text], folder)
            continue
        for line in text.splitlines():
            program, *arguments = line.split()
            told = run(
                [os.fspath(Path(sys.executable).with_name(program)), *arguments, *(["--json"] * (program == "snstdp"))],
                folder,
            )
            scores += [json.loads(told)] if told else []
    assert [score["name"] for score in scores] == ["bars", "bars_idx"]
    assert scores[0]["chance"] == 0.25
    assert scores[0]["accuracy"] >= 0.9
    # The same images with the same seed.
    assert scores[1]["accuracy"] == scores[0]["accuracy"]
    digests = [json.loads(Path("weights", f"{score['name']}.json").read_text())["data"]["sha256"] for score in scores]
    assert digests[0] == digests[1]
