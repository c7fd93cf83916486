"""Whatever stands in a record, looking at the network gives a figure or a sentence, never a traceback."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stored_networks import make_network

from snstdp_cli import plots
from snstdp_cli.artefacts import Workdir
from snstdp_cli.errors import SnstdpError
from snstdp_cli.report import gather, render
from snstdp_cli.results import TrainedNetwork

WRONG: tuple[Any, ...] = ([], {}, None, "x", True, float("nan"), float("inf"), 10**400, -5, "")
KINDS = [name for name, kind in plots.KINDS.items() if "example" not in kind.options]
#: Not among the long trials, but each in one of them: sections, lists, numbers and texts of every part.
FEW = ("experiment", "figures.l1_target", "history.l1_mean", "learning_curve.0.total", "data.image_shape.0", "versions")


def paths_of(content: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each key, also inside; of a list only the first item."""
    items = content.items() if isinstance(content, dict) else list(enumerate(content))[:1]
    for key, value in items:
        yield (*prefix, key)
        if isinstance(value, dict | list):
            yield from paths_of(value, (*prefix, key))


def replaced(content: Any, way: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(content)
    *sections, last = way
    inner = changed
    for key in sections:
        inner = inner[key]
    inner[last] = value
    return changed


def look_at(place: Workdir, where: str) -> None:
    try:
        _ = TrainedNetwork(place, "one").stored, TrainedNetwork(place, "one").recordings
        kinds = KINDS
    except SnstdpError:
        kinds = ["fields", "comparison"]  # what cannot be read is refused for all of them in the same way
    for kind in kinds:
        chosen = plots.KINDS[kind]
        try:
            network = TrainedNetwork(place, "one")
            chosen.draw([network] if chosen.figure.compares else network)
        except SnstdpError:
            pass
        except Exception as error:
            pytest.fail(f"plot {kind}, {where}: {type(error).__name__}: {error}")
    try:
        render(gather(place, ["one"]))
    except SnstdpError:
        pass
    except Exception as error:
        pytest.fail(f"report, {where}: {type(error).__name__}: {error}")


@pytest.fixture
def place(tmp_path: Path) -> Workdir:
    return make_network(tmp_path, "one")


def rewrite_recording(path: Path, change: Any) -> None:
    with np.load(path) as stored:
        arrays = dict(stored)
    record = change(json.loads(arrays["provenance"].tobytes()))
    arrays["provenance"] = np.frombuffer(json.dumps(record).encode(), np.uint8)
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    path.write_bytes(stream.getvalue())


def dotted(way: tuple[Any, ...]) -> str:
    return ".".join(map(str, way))


@pytest.mark.parametrize("key", FEW)
def test_a_few_wrong_values_in_the_record_of_a_training(place, key):
    path = place.weights / "one.json"
    record = json.loads(path.read_text())
    way = next(way for way in paths_of(record) if dotted(way) == key)
    for value in WRONG[3:8]:
        path.write_text(json.dumps(replaced(record, way, value)))
        look_at(place, f"{key} = {str(value)[:20]!r}")


def test_a_few_wrong_values_in_the_record_of_a_recording(place):
    path = next(place.activity.glob("*.test.*"))
    original = path.read_bytes()
    for way in (("experiment",), ("data", "image_shape"), ("weights", "sha256"), ("data", "set_sha256")):
        for value in WRONG[:4]:
            rewrite_recording(path, lambda record, way=way, value=value: replaced(record, way, value))
            look_at(place, f"{dotted(way)} = {value!r}")
            path.write_bytes(original)


@pytest.mark.fuzz
@pytest.mark.slow
def test_every_key_of_a_training_replaced_by_ten_wrong_values(place):
    path = place.weights / "one.json"
    record = json.loads(path.read_text())
    for way in paths_of(record):
        for value in WRONG:
            path.write_text(json.dumps(replaced(record, way, value)))
            look_at(place, f"{dotted(way)} = {str(value)[:20]!r}")


@pytest.mark.fuzz
@pytest.mark.slow
@pytest.mark.parametrize(("split", "wrong"), [("train", WRONG[::2]), ("test", WRONG[1::2])], ids=["train", "test"])
def test_every_key_of_a_recording_replaced_by_wrong_values(place, split, wrong):
    """Half of the ten for the images of each kind, as one function reads both."""
    path = next(place.activity.glob(f"*.{split}.*"))
    original = path.read_bytes()
    with np.load(path) as stored:
        record = json.loads(stored["provenance"].tobytes())
    for way in paths_of(record):
        for value in wrong:
            rewrite_recording(path, lambda found, way=way, value=value: replaced(found, way, value))
            look_at(place, f"{split}: {dotted(way)} = {str(value)[:20]!r}")
            path.write_bytes(original)
