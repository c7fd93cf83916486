"""Records of version 0.1 in the present form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from snstdp_cli.datasets import Split
from snstdp_cli.datasets.identity import identity_of


def from_version_1(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of version 0.1 in the present form; whatever does not fit is left for the check."""
    record = {key: value for key, value in content.items() if key != "seed"}
    record |= {"generation": 1}
    data = record.get("data")
    if isinstance(data, dict):
        record["data"] = _old_data(data)
    curve, experiment = record.get("learning_curve"), record.get("experiment")
    if isinstance(curve, list):
        record["learning_curve"] = [_old_point(point, experiment, data) for point in curve]
    return record


def _old_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return version 0.1's record of images with what is known of their content, whatever they were called."""
    kept = {key: value for key, value in data.items() if key != "num_classes"}
    name, digest = data.get("name"), data.get("sha256")
    splits: dict[object, Split] = {one: one for one in get_args(Split)}
    split = splits.get(data.get("split")) if isinstance(data.get("split"), str) else None
    if split is None or not isinstance(name, str) or not isinstance(digest, str):
        return {**kept, "identity": name}
    identity = identity_of(name, split, {split: digest})
    return {**kept, "identity": identity.name, "set_sha256": identity.set_digest if identity.known else None}


def _old_point(point: Any, experiment: Any, data: Any) -> Any:
    """Return a point (examples, accuracy) with the number of images that version 0.1 took."""
    try:
        total = min(int(experiment["evaluation"]["curve_examples"]), int(data["num_images"]))
        return {"examples": int(point[0]), "correct": round(float(point[1]) * total), "total": total}
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        return point
