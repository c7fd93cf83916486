"""Records that people edit: any value in any place gives a record or a sentence, and takes little memory."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from synthetic import recording_record, training_record

from snstdp_cli.artefacts import Record, RecordingRecord, TrainingRecord, read_record
from snstdp_cli.artefacts.files import parse_json
from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import CurvePoint

OLD = Path(__file__).parents[1] / "version_0_1"
WHERE = Path("weights/a.json")
WRONG: list[Any] = [
    *([], {}, None, True, "x", "", "\x1b[31m", -1, 0, 0.5, float("nan"), float("inf"), 1e308, 2**63, 10**400),
    *(
        [[]],
        {"": 1},
        [None],
        ["a", 1],
        "0" * 64,
        [[[[[[]]]]]],
        "9" * 5000,
        "1e999",
        [1, 2],
        [10**400],
        {"x": {"y": []}},
    ),
]


def full_training() -> dict[str, Any]:
    data = recording_record(split="train").data
    record = training_record(
        training="a" * 16,
        signed=False,
        start={"drawn_from_seed": 3, "name": "x", "sha256": "4" * 64},
        data=data,
        figures={
            **{"examples": 4, "presentations": 5, "retries": 1, "silent_examples": 0, "l1_target": 18.0},
            **{"l1_mean": 17.0, "l1_sd": 1.0, "theta_mv": (1.0, 2.0, 3.0), "never_learned": 1},
        },
        history={"examples": [4], "spikes_per_example": [3.0], "retries": [1], "silent_neurons": [2]}
        | {key: [1.0] for key in ("l1_mean", "l1_min", "l1_max", "theta_min_mv", "theta_mean_mv", "theta_max_mv")},
        learning_curve=[CurvePoint(4, 1, 2)],
        never_learned=[3],
        versions={"numpy": "2"},
        files={"XeAea.npy": "5" * 64},
    )
    return record.model_dump(mode="json")


def full_recording() -> dict[str, Any]:
    return recording_record(label="x", versions={"numpy": "2"}).model_dump(mode="json")


def edited(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the content with each value in it replaced by each wrong one, left out, or with another key beside it."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in list(inner):
        for wrong in WRONG:
            yield (*path, key, wrong), {**content, key: wrong} if isinstance(content, dict) else [wrong]
        if isinstance(content, dict):
            yield (*path, key, "left out"), {k: v for k, v in content.items() if k != key}
        for where, changed in edited(value, (*path, key)):
            yield where, {**content, key: changed} if isinstance(content, dict) else [changed]
    if isinstance(content, dict):
        yield (*path, "more"), {**content, "unknown_key": 1}


def old_recording() -> dict[str, Any]:
    import numpy as np

    with np.load(OLD / "activity" / "old.test.10.npz") as arrays:
        return json.loads(arrays["provenance"].tobytes())  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("model", "content"),
    [
        (TrainingRecord, full_training()),
        (RecordingRecord, full_recording()),
        (TrainingRecord, json.loads((OLD / "weights" / "old.json").read_text())),
        (RecordingRecord, old_recording()),
    ],
    ids=["training", "recording", "training of version 0.1", "recording of version 0.1"],
)
def test_any_value_in_any_place_gives_a_record_or_a_sentence(model: type[Record], content: dict[str, Any]) -> None:
    tried, refused = 0, list[tuple[object, str]]()
    assert read_record(model, content, WHERE)
    for path, changed in edited(content):
        tried += 1
        try:
            record = read_record(model, changed, WHERE)
        except ArtefactError as error:
            refused.append((path, str(error)))
        else:
            with contextlib.suppress(AttributeError):
                assert record.identity  # type: ignore[attr-defined]
            record.model_dump_json()
    assert tried > 500
    assert len(refused) > tried / 2
    for path, said in refused:
        assert said.startswith("weights/a.json: "), path
        assert said.replace("\n", "").isprintable(), path


def test_the_text_of_a_record_comes_back_as_the_same_record() -> None:
    for model, content in ((TrainingRecord, full_training()), (RecordingRecord, full_recording())):
        record = read_record(model, content, WHERE)
        assert record.model_dump(mode="json") == content
        assert read_record(model, parse_json(json.dumps(content).encode(), WHERE), WHERE) == record


@pytest.mark.parametrize("model", [TrainingRecord, RecordingRecord])
@pytest.mark.parametrize("found", [3, 99, "2", None, [], 2.5, True])
def test_a_format_of_another_version_is_named(model: type[Record], found: object) -> None:
    content = full_training() if model is TrainingRecord else full_recording()
    with pytest.raises(ArtefactError, match=r"weights/a\.json: .*another version of snstdp"):
        read_record(model, {**content, "format": found}, WHERE)


def test_unknown_keys_are_named() -> None:
    with pytest.raises(ArtefactError, match="unknown key 'experimnt'; did you mean 'experiment'"):
        read_record(TrainingRecord, {**full_training(), "experimnt": 1}, WHERE)


MASSES = {
    "20,000 classes in a record of version 0.1": "old['data']['num_classes'] = 20_000; content = old",
    "a million wrong examples": "new['history']['examples'] = [-1] * 1_000_000",
    "a million wrong norms": "new['history']['l1_mean'] = [[]] * 1_000_000",
    "a million wrong neurons": "new['never_learned'] = ['x'] * 1_000_000",
    "a million wrong points": "new['learning_curve'] = [[]] * 1_000_000",
    "half a million unknown keys": "new.update({str(k): 1 for k in range(500_000)})",
    "half a million files": "new['files'] = {str(k): 1 for k in range(500_000)}",
    "half a million parameters": "new['experiment']['rule'].update({str(k): 1 for k in range(500_000)})",
    "a deep list": "x = []\nfor _ in range(900): x = [x]\nnew['note'] = x",
}
READ_MASSES = """
import json, resource, sys
from pathlib import Path
from snstdp_cli.artefacts import TrainingRecord, read_record
from snstdp_cli.errors import ArtefactError
new, old = (json.loads(text) for text in sys.stdin.read().splitlines())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for line in eval(sys.argv[1]).values():
    content = json.loads(json.dumps(new)); kept = json.loads(json.dumps(old))
    scope = {"new": content, "old": kept, "content": content}
    exec(line, scope)
    try:
        read_record(TrainingRecord, scope["content"], Path("a.json"))
    except ArtefactError:
        pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_masses_of_values_take_little_memory() -> None:
    """`num_classes: 20000` took 3 GB in version 0.1, and a finding takes a kilobyte."""
    old = (OLD / "weights" / "old.json").read_text()
    given = json.dumps(full_training()) + "\n" + json.dumps(json.loads(old))
    done = subprocess.run(
        [sys.executable, "-c", READ_MASSES, repr(MASSES)],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 400
