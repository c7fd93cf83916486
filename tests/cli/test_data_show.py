"""`data show` finds what would cost a day; `data convert` writes what loads as the same."""

from __future__ import annotations

import base64
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from idx_files import write_split
from image_files import WORDS, class_folders
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from snstdp_cli.cli.app import app
from snstdp_cli.cli.terminal_pictures import PictureWay, picture_text, way_of
from snstdp_cli.config import build_experiment
from snstdp_cli.datasets import Suggestion, load_dataset, suggest_settings

DIGITS = load_dataset("bundled", "train")


def call(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["data", *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == code, done.output
    return done.output


def shown(*arguments: str) -> Any:
    done = CliRunner().invoke(app, ["data", "show", "--json", *arguments])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def write(folder: Path, images: NDArray[np.uint8], labels: NDArray[Any] = DIGITS.labels[:1000]) -> str:
    path = folder / "some.npz"
    np.savez(path, images=images, labels=labels)
    return str(path)


def suggestions(path: str, **inputs: Any) -> list[Suggestion]:
    return suggest_settings(load_dataset(path, "train", inputs=build_experiment({"input": inputs}).input), DIGITS)


def suggested(path: str, **inputs: Any) -> dict[str | None, Any]:
    return {one.key: one.value for one in suggestions(path, **inputs)}


@pytest.fixture(autouse=True)
def _in_a_folder(places: Path) -> None:
    """Figures are written there."""


SOME = DIGITS.images[:1000]


def test_digits_as_they_should_be_need_nothing(places: Path) -> None:
    assert suggested("bundled") == {}
    assert suggested(write(places, SOME)) == {}


@pytest.mark.parametrize("words", [False, True])
def test_transposed_digits_are_seen_also_by_words(places: Path, words: bool) -> None:
    names = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    labels = names[DIGITS.labels[:1000]] if words else DIGITS.labels[:1000]
    path = write(places, SOME.transpose(0, 2, 1), labels)
    assert suggested(path) == {"input.transpose": True}
    assert suggested(path, transpose=True) == {}


def test_inverted_digits_are_seen_and_their_orientation_too(places: Path) -> None:
    path = write(places, 255 - SOME.transpose(0, 2, 1))
    assert suggested(path) == {"input.invert": True, "input.transpose": True}


def test_digits_that_are_turned_otherwise_are_told(places: Path) -> None:
    found = suggestions(write(places, np.rot90(SOME, axes=(1, 2))))
    assert [one.key for one in found] == [None]
    assert "turned to the left" in found[0].why


def test_what_are_no_digits_is_not_judged_by_digits(places: Path) -> None:
    labels = np.array(["a", "b", "c", "d"])[np.arange(1000) % 4]
    assert suggested(write(places, SOME.transpose(0, 2, 1), labels)) == {}


def test_sorted_and_dark_images_are_seen(places: Path) -> None:
    order = np.argsort(DIGITS.labels[:1000], kind="stable")
    found = suggested(write(places, (SOME // 16)[order], DIGITS.labels[:1000][order]))
    assert found["order"] == "shuffled"
    assert found["input.scale"] == pytest.approx(17)
    assert "presentation.intensity" not in found


def test_faint_images_get_brighter_inputs_and_then_stronger_weights(places: Path) -> None:
    small = SOME[:, 10:18, 10:18]
    found = suggested(write(places, small))
    total = small.mean() * 64
    assert found == {"presentation.intensity": pytest.approx(2 * 26_000 / total, rel=0.05)}
    faint = np.zeros_like(small)
    faint[:, 3, 3:6] = 200
    assert set(suggested(write(places, faint))) == {"presentation.intensity", "rule.a_tar"}


def test_counts_brightness_and_images_in_both_splits_are_told(places: Path) -> None:
    np.savez("both.npz", x_train=SOME[:100], y_train=DIGITS.labels[:100], x_test=SOME[:9], y_test=DIGITS.labels[:9])
    found = shown("both.npz")
    assert found["suggestions"] == []
    assert found["shared_images"] == 9
    assert found["splits"]["train"]["counts"] == np.bincount(DIGITS.labels[:100]).tolist()
    assert found["splits"]["train"]["mean"] == pytest.approx(SOME[:100].mean())
    assert [Path(one).suffix for one in found["files"]] == [".png", ".svg"]
    assert all(Path(one).stat().st_size > 1000 for one in found["files"])


def test_one_split_is_shown_and_what_to_do_for_another_is_told(places: Path) -> None:
    class_folders(Path("pictures"), splits=False)
    printed = call("show", "pictures", "--set", "input.size=8", "--out", "sheet.png")
    assert "there are no test images; make some" in printed
    assert "--set input.size=8 --set input.test_share=0.2 --set presentation.intensity" in printed
    assert re.search(r"bee +8\b", printed)
    assert Path("sheet.png").exists()
    np.savez("digits.npz", X=SOME, y=DIGITS.labels[:1000])
    printed = call("show", "digits.npz")
    assert re.search(r"next: .*run --n-e 100 --num-examples 1500 --data digits.npz --set input.test_share=0.2", printed)
    assert "look again" not in printed


def test_a_setting_that_was_given_is_not_suggested_again_and_training_comes_next(places: Path) -> None:
    order = np.argsort(DIGITS.labels[:1000], kind="stable")
    path = write(places, (SOME // 4)[order][:, 10:18, 10:18], DIGITS.labels[:1000][order])
    given: list[str] = []
    for hint, suggested_again in (("look again", True), ("next", False)):
        printed = call("show", path, *given)
        assert ("--set order=shuffled  " in printed) == suggested_again
        (line,) = re.findall(rf"^{hint}: (.*)$", printed, re.MULTILINE)
        assert all(line.count(key) == 1 for key in ("order", "input.scale", "presentation.intensity"))
        words = shlex.split(line)
        given = words[words.index("--set") :]
    assert "run" in words


@pytest.mark.parametrize(
    ("brightness", "hint", "command"), [(0.1, "look again", ["data", "show"]), (1, "next", ["run"])]
)
def test_what_comes_next_names_the_folders_that_were_named(
    places: Path, brightness: float, hint: str, command: list[str]
) -> None:
    for split, prefix in (("train", "train"), ("test", "t10k")):
        part = load_dataset("bundled", split)
        images = (part.images * brightness).astype(np.uint8).reshape(-1, 28, 28)
        write_split(Path("far away"), images, part.labels, prefix)
    printed = call("show", "mnist", "--data-dir", "far away", "--workdir", "else where")
    (line,) = re.findall(rf"^{hint}: (.*)$", printed, re.MULTILINE)
    words = shlex.split(line)
    start = words.index(command[0]) + len(command)
    assert words[start - len(command) : start] == command
    for flag, value in (("--data-dir", "far away"), ("--workdir", "else where")):
        assert words[words.index(flag) + 1] == value
    assert CliRunner().invoke(app, [*command, *words[start:], "--help"]).exit_code == 0


def test_what_is_converted_is_the_same_with_its_names(places: Path) -> None:
    folder = class_folders(Path("pictures"))
    call("convert", "pictures", "out.npz", "--set", "input.size=[5, 4]")
    for split in ("train", "test"):
        found = load_dataset("out.npz", split)
        assert found.images.shape[1:] == (5, 4)
        assert found.class_names == WORDS
    assert np.array_equal(load_dataset("out.npz", "train").labels, load_dataset(f"./{folder}", "train").labels)
    assert "out.npz" in call("convert", "pictures", "out.npz", code=2)
    assert "ends in .npz" in call("convert", "pictures", "out.csv", code=2)
    assert "no such file" in call("show", "nothing.npz", code=2)


# Terminals


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1", "TMUX": "x"}, "none"),
        ({"TERM": "xterm-256color"}, "none"),
        ({}, "none"),
    ],
)
def test_a_terminal_is_known_by_its_environment(environment: dict[str, str], way: str) -> None:
    assert way_of(environment) == way


def test_pictures_are_encoded_as_terminals_read_them() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).resize((300, 200)).save(stream, "PNG")
    png = stream.getvalue()
    kitty = "".join(picture_text(png, PictureWay.kitty, 80))
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", kitty)
    assert base64.b64decode("".join(piece for _, piece in pieces)) == png
    assert [keys[-3:] for keys, _ in pieces] == ["m=1"] * (len(pieces) - 1) + ["m=0"]
    iterm = "".join(picture_text(png, PictureWay.iterm, 80))
    assert base64.b64decode(iterm.partition(":")[2].rstrip("\x07")) == png
    blocks = "".join(picture_text(png, PictureWay.blocks, 10))
    assert blocks.count("▀") == 10 * 4  # 10 x 7 pixels, two rows in a line
    assert "".join(picture_text(png, PictureWay.none, 10)) == ""


def test_sixels_hold_the_picture() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (7, 5), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG")
    text = "".join(picture_text(stream.getvalue(), PictureWay.sixel, 80))
    body = re.fullmatch(r'\x1bPq"1;1;5;7((?:#\d+;2;\d+;\d+;\d+)+)(.*)\x1b\\', text)
    assert body is not None
    drawn = np.full((12, 5), -1)
    for band, rows in enumerate(body[2].split("-")):
        for level, columns in re.findall(r"#(\d+)([?-~]+)", rows):
            for x, letter in enumerate(columns):
                for bit in range(6):
                    if (ord(letter) - 63) >> bit & 1:
                        drawn[6 * band + bit, x] = int(level)
    assert np.array_equal(drawn[:7], grey // 16)
