"""Small versions of the studies of the results, made from the published files themselves.

They have the same axes and tables, with fewer neurons, images, seeds and trials, on the bundled digits: their
accuracies are those of small networks after few images, their tables have the shape of the published ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

STUDIES = Path(__file__).resolve().parents[1] / "configs" / "studies" / "results"
#: Neurons of the published studies, and those of their small versions.
SIZES = {100: 20, 400: 30, 1600: 40, 6400: 50}
#: So much fewer training images and labels.
_FEWER, _FEWER_LABELS = 120, 50
#: One pass over all classes in order: every image of the bundled digits but the withheld ones, or of two copies of them
#: with this many of each class.
_PASS, _OF_EACH_CLASS, _PASS_OF_TWO = 4_900, 25, 400
_TRIALS, _MOST_SEEDS = 4, 2
_SCORED = {"assign_examples": 500, "test_examples": 500, "curve_examples": 100, "stage_examples": 200}


def shrink(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study with the same axes on the bundled digits."""
    joined = "+" in content["base"]["data"]
    one_pass = _PASS_OF_TWO if joined else _PASS if content["base"].get("order") == "by_class" else None
    small = smaller(content, one_pass=one_pass)
    data = "bundled+bundled" if joined else "bundled"
    base = {**small["base"], "data": data, "chunk": 250, "evaluation": dict(_SCORED)}
    if "n_e" not in small.get("vary", {}):
        base.setdefault("n_e", SIZES[400])
    if "validation_examples" in small["base"].get("evaluation", {}):
        # Among the last 500 of the bundled digits there is no 1.
        base["evaluation"] |= {"validation_examples": 500, "validation_images": "spread"}
    if "search" in small:
        base["evaluation"] |= {"curve_every": 50}
        return {**small, "base": base, "search": {**small["search"], "trials": _TRIALS}}
    seeds = small["seeds"]
    return {**small, "base": base, "seeds": seeds[:_MOST_SEEDS] if isinstance(seeds, list) else min(seeds, _MOST_SEEDS)}


def smaller(value: Any, key: str = "", *, one_pass: int | None = None) -> Any:
    """Return a value of a study, and all that is in it, for small networks and few images."""
    if isinstance(value, Mapping) and "config" in value:
        # The configuration has a size of its own.
        path = (STUDIES / value["config"]).resolve()
        value = {"n_e": yaml.safe_load(path.read_text(encoding="utf-8"))["n_e"], **value, "config": str(path)}
    if isinstance(value, Mapping):
        return {name: smaller(inner, name, one_pass=one_pass) for name, inner in value.items()}
    if isinstance(value, list):
        return [smaller(one, key, one_pass=one_pass) for one in value]
    if key == "n_e":
        return SIZES[value]
    if key == "num_examples":
        return one_pass or max(10, value // _FEWER)
    if key == "max_per_class":
        return _OF_EACH_CLASS
    if key == "evaluation.assign_examples":
        return value // _FEWER_LABELS
    return value


def small_studies(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """Write the small versions of studies into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / f"{name}.yaml"
        content = yaml.safe_load((STUDIES / f"{name}.yaml").read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump(shrink(content), sort_keys=False), encoding="utf-8")
        yield path
