"""The formats in which people hold images, and what is told where a file is none of them or damaged."""

from __future__ import annotations

import gzip
import io
import random
import re
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fuzzing import TIMES
from image_files import (
    FORMATS,
    SPLITS,
    TEST,
    TEST_LABELS,
    TRAIN,
    TRAIN_LABELS,
    WORDS,
    class_folders,
    csv_text,
    encoded,
    hugging_face_names,
    idx_bytes,
)
from PIL import Image

from snstdp_cli.config import build_experiment
from snstdp_cli.datasets import Dataset, load_dataset, load_images, preparation, unlabelled
from snstdp_cli.datasets.readers import Labelled, Reading, detection, mat5, parquet_file
from snstdp_cli.datasets.readers.format import Format
from snstdp_cli.errors import DataError, SnstdpError


def load(path: Path | str, split: str = "train", **inputs: object) -> Dataset:
    section = build_experiment({"input": inputs}).input
    return load_dataset(str(path), split, inputs=section)  # type: ignore[arg-type]


def refusal(path: Path | str, split: str = "train", **inputs: object) -> str:
    with pytest.raises(DataError) as caught:
        load(path, split, **inputs)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_a_format_is_what_its_reader_says_and_its_place_in_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> Reading:
        return Reading(path, {"train": Labelled(TRAIN, TRAIN_LABELS), "test": Labelled(TEST, TEST_LABELS)})

    novel = Format(".novel", lambda path, begin, unpacked: begin.startswith(b"NOVEL"), read, suffixes=(".novel",))
    monkeypatch.setattr(detection, "FORMATS", (*detection.FORMATS, novel))
    monkeypatch.setattr(unlabelled, "FORMATS", detection.FORMATS)
    monkeypatch.chdir(tmp_path)
    Path("some.novel").write_bytes(b"NOVEL")
    assert build_experiment({"data": "some.novel"}).data == "some.novel"
    assert np.array_equal(load("some.novel", "test").images, TEST)
    found = load_images("some.novel")
    assert np.array_equal(found.images, TEST)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_data_set(tmp_path: Path, name: str) -> None:
    path = FORMATS[name](tmp_path)
    for split, (images, labels) in SPLITS.items():
        found = load(path, split)
        assert np.array_equal(found.images, images)
        assert np.array_equal(found.labels, labels)
        assert found.class_names == ()
    np.savez(
        tmp_path / "own.npz", train_images=TRAIN, train_labels=TRAIN_LABELS, test_images=TEST, test_labels=TEST_LABELS
    )
    own = load(tmp_path / "own.npz")
    assert own.identity.set_digest == load(path).identity.set_digest


# Pictures


@pytest.mark.parametrize(("kind", "suffix"), [("PNG", ".png"), ("BMP", ".BMP"), ("GIF", ".gif"), ("TIFF", ".tif")])
@pytest.mark.parametrize("splits", [True, False])
def test_folders_of_pictures(tmp_path: Path, kind: str, suffix: str, splits: bool) -> None:
    folder = class_folders(tmp_path, kind, suffix, splits=splits)
    found = load(folder)
    assert (found.classes.tolist(), found.class_names) == ([0, 1, 2], WORDS)
    expected = TRAIN if splits else np.concatenate([TRAIN, TEST])
    assert sorted(one.tobytes() for one in found.images) == sorted(one.tobytes() for one in expected)
    for image, label in zip(found.images[:16], found.labels[:16], strict=True):
        k = next((k for k in range(16) if np.array_equal(TRAIN[k], image)), None)
        assert k is None or TRAIN_LABELS[k] == label
    # No class comes after another: each is spread over the file.
    assert sorted(found.labels[:3].tolist()) == [0, 1, 2]
    if splits:
        assert len(load(folder, "test")) == len(TEST)
    else:
        assert "there are no test images; make some of the training images" in refusal(folder, "test")
        assert len(load(folder, "test", test_share=0.25)) == 6


def test_jpeg_is_nearly_what_it_was(tmp_path: Path) -> None:
    smooth = np.tile(np.linspace(0, 255, 16).astype(np.uint8), (16, 1))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpeg").write_bytes(encoded(smooth, "JPEG"))
    assert np.abs(load(tmp_path).images.astype(int) - smooth).max() < 12


@pytest.mark.parametrize(
    ("picture", "grey"),
    [
        (Image.new("RGB", (2, 2), (255, 0, 0)), 76),
        (Image.new("RGB", (2, 2), (0, 255, 0)), 150),
        (Image.new("RGB", (2, 2), (0, 0, 255)), 29),
        (Image.new("RGBA", (2, 2), (0, 0, 0, 0)), 255),
        (Image.new("1", (2, 2), 1), 255),
        (Image.fromarray(np.full((2, 2), 65535, np.uint16)), 255),
        (Image.fromarray(np.full((2, 2), 32767, np.uint16)), 127),
    ],
)
def test_colours_transparency_and_depth_become_grey(tmp_path: Path, picture: Image.Image, grey: int) -> None:
    (tmp_path / "one").mkdir()
    picture.save(tmp_path / "one" / "1.png")
    assert load(tmp_path).images.tolist() == [[[grey, grey], [grey, grey]]]


def test_pictures_of_different_sizes_need_one_and_get_it(tmp_path: Path) -> None:
    for name, side in (("a", 10), ("b", 20)):
        (tmp_path / name).mkdir()
        Image.new("L", (side, side), 99).save(tmp_path / name / "1.png")
    assert "found images of 10 x 10 to 20 x 20 pixels" in refusal(tmp_path)
    assert refusal(tmp_path).endswith("bring them to one: --set input.size=28")
    found = load(tmp_path, size=5)
    assert found.images.shape == (2, 5, 5)
    assert (found.images == 99).all()


def test_photographs_are_made_smaller_and_too_large_pictures_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.new("L", (700, 500), 7).save(tmp_path / "a" / "1.png")
    assert "500 x 700 = 350,000 pixels; expected at most 65,536" in refusal(tmp_path)
    assert load(tmp_path, size=28).images.shape == (1, 28, 28)
    # Its header states 100,000 x 100,000 pixels: nothing of them is unpacked.
    content = bytearray(encoded(TRAIN[0]))
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "a" / "1.png").write_bytes(content)
    assert "states far more than 16,777,216 pixels; make it smaller" in refusal(tmp_path, size=28)
    content[16:24] = (5_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "a" / "1.png").write_bytes(content)
    assert "found 5,000 x 5,000 pixels; expected 1 to 16,777,216" in refusal(tmp_path, size=28)


# Labels


@pytest.mark.parametrize(
    ("words", "numbers", "names"),
    [
        (["3", "8", "8"], [3, 8, 8], ()),
        (["1", "26", "1"], [1, 26, 1], ()),
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        (["-1", "10", "2"], [0, 2, 1], ("-1", "2", "10")),
        (["300", "7", "300"], [1, 0, 1], ("7", "300")),
        (["07", "7", "07"], [0, 1, 0], ("07", "7")),
        (["x\x1b[2J", "y", "y"], [0, 1, 1], (r"x\x1b[2J", "y")),
    ],
)
def test_labels_of_any_kind_become_classes_with_names(
    tmp_path: Path, words: list[str], numbers: list[int], names: tuple[str, ...]
) -> None:
    np.savez(tmp_path / "own.npz", X=TRAIN[:3], y=np.array(words))
    found = load(tmp_path / "own.npz")
    assert (found.labels.tolist(), found.class_names) == (numbers, names)


def test_names_have_no_part_in_what_tells_data_sets_apart(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=TRAIN[:3], y=np.array(["ant", "bee", "ant"]))
    np.savez(tmp_path / "b.npz", X=TRAIN[:3], y=np.array([0, 1, 0]))
    assert load(tmp_path / "a.npz").identity.digest == load(tmp_path / "b.npz").identity.digest


def test_more_classes_than_a_byte_numbers_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.zeros((300, 2, 2), np.uint8), y=np.arange(300))
    assert re.search(r"found 300 classes \(.*expected at most 255; are these the labels", refusal(tmp_path / "a.npz"))


def test_names_that_a_file_tells(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({"image": [{"bytes": encoded(one), "path": None} for one in TRAIN[:3]], "label": [0, 1, 1]})
    pq.write_table(table.replace_schema_metadata(hugging_face_names(["no", "yes"])), tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet").class_names == ("no", "yes")
    (tmp_path / "emnist-x-train-images-idx3-ubyte").write_bytes(idx_bytes(TRAIN[:2]))
    (tmp_path / "emnist-x-train-labels-idx1-ubyte").write_bytes(idx_bytes(np.array([1, 2], np.uint8)))
    (tmp_path / "emnist-x-mapping.txt").write_text("1 65 97\n2 66 98\n")
    found = load(tmp_path / "emnist-x-train-images-idx3-ubyte")
    assert (found.classes.tolist(), found.class_names) == ([1, 2], ("A/a", "B/b"))
    assert "EMNIST's IDX files hold transposed images: --set input.transpose=true" in found.warnings[0]
    assert load(tmp_path / "emnist-x-train-images-idx3-ubyte", transpose=True).warnings == ()


# Numbers


def test_what_is_converted_is_told_and_what_would_be_a_guess_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, X=TRAIN[:2] / 255, y=np.arange(2))
    assert load(path).warnings == (f"{path}: X: numbers of 0 to 1 are multiplied by 255",)
    np.savez(path, X=(TRAIN[:2] > 99).astype(float), y=np.arange(2))
    assert load(path).images.max() == 1  # whole numbers are what they are; `plausibility` tells of the scale
    np.savez(path, X=TRAIN[:2] / 1.0, y=np.arange(2))
    assert np.array_equal(load(path).images, TRAIN[:2])
    np.savez(path, X=np.stack([TRAIN[:2]] * 3, axis=1), y=np.arange(2))
    assert np.array_equal(load(path).images, TRAIN[:2])
    for odd in (TRAIN[:2] - 127.5, TRAIN[:2] * 2.0, np.full((2, 2, 2), np.nan), np.zeros((2, 5, 6, 7))):
        np.savez(path, X=odd, y=np.arange(2))
        assert "expected" in refusal(path)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=TRAIN[:2], y=np.array(["a", None], dtype=object))
    assert "objects are not read, because unpickling runs code" in refusal(tmp_path / "a.npz")


# Files that belong together


def test_validation_images_serve_as_test_images_where_there_are_no_others(tmp_path: Path) -> None:
    folder = class_folders(tmp_path)
    (folder / "test").rename(folder / "val")
    assert len(load(folder, "test")) == len(TEST)
    assert load(folder).warnings == (f"{folder}: its validation images serve as test images",)


def test_a_file_that_is_missing_or_one_of_several_sets_is_named(tmp_path: Path) -> None:
    folder = FORMATS["kmnist"](tmp_path)
    (folder / "kmnist-train-labels.npz").unlink()
    assert "no labels of the train split beside kmnist-test-imgs.npz" in refusal(folder)
    np.savez(folder / "k49-train-imgs.npz", TRAIN)
    assert "holds several data sets ('k49-train-imgs.npz', 'kmnist-" in refusal(folder)


def test_kaggles_test_file_without_labels_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "my_train.csv").write_text(csv_text(TRAIN, TRAIN_LABELS, header=True))
    lines = csv_text(TEST, TEST_LABELS, header=True).splitlines()
    (tmp_path / "my_test.csv").write_text("\n".join(line.partition(",")[2] for line in lines))
    assert load(tmp_path / "my_train.csv").warnings == (f"{tmp_path}/my_test.csv: has no labels and is not used",)
    assert "there are no test images" in refusal(tmp_path / "my_train.csv", "test")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(csv_text(TRAIN, TRAIN_LABELS, header=True))
    assert len(load(path)) == 16
    path.write_text(csv_text(TRAIN[:4], TRAIN_LABELS[:4], header=True))
    assert len(load(path)) == 4


# What is no data set


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"hello\nworld\n", "found one value in the first line ('hello')"),
        ("a.csv", b"label,a,b,c,d\n1,2,3,4,5\n2,3,4\n", "line 3: found 3 values, expected 5 as in the first line"),
        ("a.csv", b"label,a,b,c,d\n1,2,3,4,x\n", "found 'x' among the pixels, expected numbers"),
        ("a.csv", b"label,a,b,c,d\n", "expected one image a line"),
        ("a.csv", b"label,a,b,c\n1,2,3,4\n", "reshape flat images"),
        ("a.csv.gz", b"\x1f\x8b damaged", "is a gzip file of something else, or damaged"),
        ("a.mat", b"\x89HDF\r\n\x1a\n", "is of MATLAB's version 7.3 (HDF5); save it as version 7"),
        ("a.mat", b"MATLAB 5.0 MAT-file", "not an intact MATLAB file: its header is none"),
        ("a.mat", b"MATLAB 5.0 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n", "is of MATLAB's version 7.3 (HDF5)"),
        ("a.mat", bytes(4) + b"\x03\0\0\0", "is no MATLAB file of version 5 to 7, or damaged; save it as version 7"),
        ("a.pkl", b"\x80\x04\x95", "unpickling runs code"),
        # Without the time: it would be in the test's name, in which all processes of a run must agree.
        ("mnist.pkl.gz", gzip.compress(b"\x80\x04\x95", mtime=0), "unpickling runs code"),
        ("a.csv", "label,a,b,c,d\n1,2,3,4,5\n".encode("utf-16"), "is text in UTF-16; save it as UTF-8"),
        ("a.csv", b"label,a,b,c,d\n1,2,3,4,5\n,2,3,4,5\n", "line 3: the label is missing ('')"),
        ("a.csv", b"label,a,b,c,d\nNaN,2,3,4,5\n2,2,3,4,5\n", "line 2: the label is missing ('NaN')"),
        ("a.npy", b"\x93NUMPY\1\0", "is a single array"),
        ("a.png", encoded(TRAIN[0]), "is a single picture; name the folder"),
        ("a.bin", b"\1\2\3\4", "is none of the formats that are read"),
    ],
)
def test_other_files_are_told_by_what_they_are(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert sentence in refusal(tmp_path / name)


def test_what_unpacks_to_gigabytes_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mat5, "MAX_BYTES", 2**20)
    zeros = zlib.compress(bytes(2**22))
    path = tmp_path / "a.mat"
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\0\1IM" + np.array([15, len(zeros)], "<u4").tobytes() + zeros)
    assert "it unpacks to more than any data set" in refusal(path)
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": (2**40, 28, 28)})
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("X.npy", stream.getvalue())
        archive.writestr("y.npy", stream.getvalue())
    assert "the file is damaged" in refusal(tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda table: table.update(label=["x" * 2000] * 16), "found a label of 2,000 letters"),
        (lambda table: table.update(label=[None, *TRAIN_LABELS[1:].tolist()]), "a label is missing (null)"),
        (lambda table: table.update(image=[None, *table["image"][1:]]), "an image is missing (null)"),
        (lambda table: table.update(image=[{"bytes": b"junk"}] * 16), "image 0: is no picture of the formats"),
        (lambda table: table.update(image=[{"bytes": b""}] * 16), "image 0: is empty; expected a picture"),
    ],
)
def test_what_is_missing_or_no_image_in_parquet_is_told(
    tmp_path: Path, change: Callable[[dict[str, list[object]]], None], sentence: str
) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = {"image": [{"bytes": encoded(one)} for one in TRAIN], "label": TRAIN_LABELS.tolist()}
    change(table)
    parquet.write_table(arrow.table(table), tmp_path / "a.parquet")
    assert sentence in refusal(tmp_path / "a.parquet")


def test_what_is_packed_once_and_stands_in_each_row_is_unpacked_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"image": [bytes(2**20)] * 200, "label": [0] * 200}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 2**21
    monkeypatch.setattr(parquet_file, "_BYTES_AT_ONCE", 2**22)
    seen: list[int] = []
    monkeypatch.setattr(parquet_file, "_collect", lambda batches, *_: seen.extend(map(len, batches)) or 1 / 0)
    refusal(tmp_path / "a.parquet")
    assert max(seen) <= 4
    columns = {f"p{k}": np.zeros(100_000, np.uint8) for k in range(16)}
    parquet.write_table(arrow.table({**columns, "label": columns["p0"]}), tmp_path / "b.parquet")
    monkeypatch.setattr(parquet_file, "MAX_BYTES", 2**20)
    assert "100,000 rows" in refusal(tmp_path / "b.parquet")


def test_letters_that_are_no_utf8_keep_classes_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"label,a,b,c,d\n\xe9,2,3,4,5\n\xe8,2,3,4,5\n")
    assert load(tmp_path / "a.csv").class_names == (r"\xe8", r"\xe9")
    np.savez(tmp_path / "b.npz", X=TRAIN[:2], y=np.array([b"\xe9", b"\xe8"]))
    assert load(tmp_path / "b.npz").class_names == (r"\xe8", r"\xe9")


@pytest.mark.parametrize("head", ["id,label", ",label", "label,Unnamed: 0"])
def test_a_column_that_numbers_the_images_is_left_out(tmp_path: Path, head: str) -> None:
    first = head.index("label") == 0
    rows = "".join(f"{3 if first else k},{k if first else 3},1,2,3,{4 + k}\n" for k in range(5))
    (tmp_path / "a.csv").write_text(f"{head},a,b,c,d\n{rows}")
    found = load(tmp_path / "a.csv")
    assert found.images[:, 1, 1].tolist() == [4, 5, 6, 7, 8]
    assert found.classes.tolist() == [3]
    assert "is left out" in found.warnings[0]


def test_labels_that_are_fewer_than_images_are_told_also_before_they_are_divided(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=TRAIN, y=TRAIN_LABELS[:9])
    for inputs in ({}, {"test_share": 0.5}):
        assert "16 images but 9 labels" in refusal(tmp_path / "a.npz", **inputs)


def test_images_that_would_become_larger_than_any_data_set_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.zeros((20_000, 1, 1), np.uint8), y=np.zeros(20_000, int))
    assert "input.size: 20,000 images of 256 x 256 pixels hold more than" in refusal(tmp_path / "a.npz", size=256)


def test_large_images_are_resampled_a_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = preparation.resample(TRAIN, (3, 3))
    monkeypatch.setattr(preparation, "_AT_ONCE", 1)
    assert np.array_equal(preparation.resample(TRAIN, (3, 3)), whole)


def test_folders_without_pictures_are_told(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "letters")
    (folder / "train" / "dog").mkdir()
    (folder / "train" / WORDS[0] / "deeper").mkdir()
    (folder / "train" / WORDS[0] / "loop").symlink_to(folder)
    assert [one for one in load(folder).warnings if "are no classes: dog" in one]
    assert load(folder).class_names == WORDS


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "is empty; expected a picture"), (b"RIFF\0\0\0\0WEBP", "is no picture of the formats that are read")],
)
def test_a_picture_that_is_none_is_told(tmp_path: Path, content: bytes, sentence: str) -> None:
    folder = class_folders(tmp_path / "letters")
    (folder / "train" / WORDS[0] / "a.png").write_bytes(content)
    told = refusal(folder)
    assert sentence in told
    assert "object at 0x" not in told


def test_a_missing_package_is_named_with_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = FORMATS["parquet_pixels"](tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert "Parquet files need pyarrow; install it: pip install 'snstdp[parquet]'" in refusal(path)


# Damaged files


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Change, cut or lengthen a file, or make a number in it a large one."""
    changed, place = bytearray(content), draw.randrange(len(content))
    kind = draw.randrange(4)
    if kind == 0:
        for _ in range(draw.choice((1, 1, 2, 5))):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
    elif kind == 1:
        del changed[place:]
    elif kind == 2:
        changed[place : place + 4] = draw.choice((b"\xff" * 4, b"\x7f\xff\xff\xff", bytes(4), b"\xff\xff\xff\x7f"))
    else:
        changed[place:place] = draw.randbytes(draw.randrange(1, 9))
    return bytes(changed)


def tried(path: Path) -> str | None:
    """Load a data set; return what was told instead."""
    try:
        load(path)
    except SnstdpError as error:
        return str(error)
    return None


def pictures_of(kind: str, suffix: str) -> Callable[[Path], Path]:
    return lambda folder: class_folders(folder, kind, suffix)


FUZZED = {**FORMATS} | {f"pictures {kind}": pictures_of(kind, f".{kind}") for kind in ("PNG", "BMP", "GIF", "JPEG")}


@pytest.mark.fuzz
@pytest.mark.parametrize("name", FUZZED)
def test_a_damaged_file_is_a_data_set_or_a_sentence(tmp_path: Path, name: str) -> None:
    draw = random.Random(name)
    path = FUZZED[name](tmp_path)
    files = [one for one in sorted(tmp_path.rglob("*")) if one.is_file()]
    refused = 0
    for _ in range(round(40 * TIMES)):
        chosen = draw.choice(files)
        content = chosen.read_bytes()
        chosen.write_bytes(damaged(content, draw))
        told = tried(path)
        assert told is None or told.isprintable()
        refused += told is not None
        chosen.write_bytes(content)
    assert refused
