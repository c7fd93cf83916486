"""What is written down beside every result: how it was made, on which data, with which versions, and when."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from snstdp_cli import __version__
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset
from snstdp_cli.engines.compilation import compiler_flags, compiler_version, find_compiler
from snstdp_cli.errors import EngineError


def software_versions() -> dict[str, str]:
    """Return the versions that a result may depend on."""
    found = {"snstdp": __version__, "python": platform.python_version()}
    for package in ("brian2", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    compiler = find_compiler()
    try:
        found["compiler"] = compiler_version(compiler) if compiler else "none"
    except EngineError:
        found["compiler"] = "does not answer"
    found["compiler_flags"] = " ".join(compiler_flags())
    found["machine"] = f"{platform.system()} {platform.machine()}"
    return found


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """Return which images were used, so that two results can be told to be comparable."""
    return {
        "name": dataset.name,
        "split": dataset.split,
        "bundled_subset": dataset.bundled,
        "num_images": len(dataset),
        "image_shape": list(dataset.images.shape[1:]),
        "num_classes": dataset.num_classes,
        "sha256": dataset.sha256,
    }


def digest_of_data(record: Mapping[str, Any]) -> str | None:
    """Return the digest of the images that a provenance record tells of, if it tells."""
    data = record.get("data")
    return data.get("sha256") if isinstance(data, dict) else None


def describe_run(kind: str, experiment: Experiment, engine: str, duration_s: float) -> dict[str, Any]:
    """Return the beginning of a provenance record."""
    return {
        "kind": kind,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "duration_s": round(duration_s, 3),
        "engine": engine,
        "seed": experiment.seed,
        "experiment": experiment.model_dump(mode="json"),
        "versions": software_versions(),
    }
