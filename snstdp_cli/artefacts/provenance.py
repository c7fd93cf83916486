"""Make the records that are written beside results: versions, images, date."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from snstdp_cli import __version__
from snstdp_cli.artefacts.records import DataRecord
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset
from snstdp_cli.engines.compiler import compiler_flags, compiler_version, find_compiler
from snstdp_cli.errors import EngineError


def software_versions() -> dict[str, str]:
    """Return the versions that a result may depend on."""
    found = {"snstdp": __version__, "python": platform.python_version()}
    for package in ("brian2", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    try:
        compiler = find_compiler()
        found["compiler"] = compiler_version(compiler) if compiler else "none"
    except EngineError:
        found["compiler"] = "does not answer"
    found["compiler_flags"] = " ".join(compiler_flags())
    found["machine"] = f"{platform.system()} {platform.machine()}"
    return found


def describe_data(dataset: Dataset) -> DataRecord:
    """Return which images were used, so that two results can be told to be comparable."""
    rows, cols = dataset.images.shape[1:]
    return DataRecord(
        name=dataset.name,
        identity=dataset.identity.name,
        split=dataset.split,
        bundled_subset=dataset.bundled,
        num_images=len(dataset),
        image_shape=(rows, cols),
        classes=tuple(int(c) for c in dataset.classes),
        class_names=dataset.class_names,
        sha256=dataset.sha256,
        set_sha256=dataset.identity.set_digest,
    )


def describe_run(experiment: Experiment, engine: str, duration_s: float) -> dict[str, Any]:
    """Return the fields that the records of trainings and recordings share."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "duration_s": round(duration_s, 3),
        "engine": engine,
        "experiment": experiment,
        "versions": software_versions(),
    }
