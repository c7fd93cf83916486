"""Real cells that cannot come to their end: each is told with its sentence, and the rest is finished."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from study_trials import StudyTrial

pytestmark = pytest.mark.slow

BASE: dict[str, Any] = {
    "data": "bundled",
    "n_e": 100,
    "num_examples": 20,
    "chunk": 20,
    "evaluation": {"assign_examples": 20, "test_examples": 20, "curve_every": 0},
}
#: Twice the inhibition, low thresholds, and steps of 1 ms with forward Euler.
WILD = {"dt": 1, "network.integration": "euler", "presentation.max_intensity": 3, "rule.a_tar": 0.2}
WILD |= {"network.theta_init_mv": 0, "network.w_inh_exc": 34}


def test_what_runs_away_what_is_too_large_and_what_has_no_data_are_told_and_the_rest_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setenv("CXX", "/no/such/compiler")
    cells = [WILD, {"n_e": 25_000, "network.inhibition": "dense"}, {"data": "./nowhere/"}, {"n_e": 50}]
    (tmp_path / "trial.yaml").write_text(yaml.safe_dump({"name": "trial", "base": BASE, "cells": cells}))
    trial = StudyTrial(tmp_path)
    assert trial.end(trial.run_command()) == 1, trial.output
    records = [json.loads(path.read_text()) for path in trial.cells.glob("*/cell.json")]
    assert sorted(record["state"] for record in records) == ["failed", "failed", "failed", "finished"]
    errors = [record["error"] for record in records if record["state"] == "failed"]
    for told in ("runaway activity: ", " MB of memory, and this machine has ", "nowhere: no such file or folder"):
        (error,) = [error for error in errors if told in error]
        assert trial.output.count(error) == 2  # when it happened, and at the end
