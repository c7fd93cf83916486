"""Every command of docs/data.md names a data set that is found, by files as the page describes them."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from image_files import FORMATS, class_folders

from snstdp_cli.config import build_experiment, is_data_path, parse_override
from snstdp_cli.datasets import load_dataset

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data.md"


def commands() -> Iterator[list[str]]:
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL):
        yield from (shlex.split(line) for line in block.splitlines())


@pytest.fixture
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = {"kmnist": "kmnist", "torchvision": "torchvision", "hub": "parquet_pictures"}
    for folder, name in {**made, "emnist": "emnist_idx", "other": "csv_with_header"}.items():
        Path(folder).mkdir()
        FORMATS[name](Path(folder))
    for path in Path("emnist").iterdir():
        path.rename(path.with_name(path.name.replace("emnist-my", "emnist-letters")))
    class_folders(Path("letters"))
    FORMATS["keras"](Path())
    FORMATS["emnist_mat"](Path()).rename("emnist-letters.mat")
    shutil.copy("other/my_train.csv", "train.csv")


@pytest.mark.usefixtures("_files")
def test_every_command_finds_its_data() -> None:
    tried = 0
    for words in commands():
        sets = [words[k + 1] for k, word in enumerate(words) if word == "--set"]
        inputs = build_experiment({}, dict(map(parse_override, sets))).input
        name = words[words.index("--data") + 1] if "--data" in words else words[3]
        assert name == "bundled" or is_data_path(name)
        for split in ("train", "test"):
            assert len(load_dataset(name, split, inputs=inputs)) > 0
        tried += 1
    assert tried == 11
