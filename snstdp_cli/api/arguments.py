"""What the functions of the API take: settings, images and progress in the forms that are handy in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.datasets import ArrayDataset, Dataset, Split, load_dataset
from snstdp_cli.engines import choose_engine
from snstdp_cli.progress import Reporter

#: Called with each event: `TrainingProgress`, `RecordingProgress`, `Preflight`, or a sentence (str).
Callback: TypeAlias = Callable[[Any], None]
Data: TypeAlias = str | Path | ArrayDataset
Progress: TypeAlias = bool | Callback


def dotted(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings with dotted keys; a mapping is a section."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def images_of(experiment: Experiment, split: Split, data: Data | None) -> tuple[Experiment, Dataset]:
    """Return the images to show, and the experiment that names them."""
    if isinstance(data, ArrayDataset):
        return experiment, data.split(split, experiment.input)
    if data is not None:
        changed = {**experiment.model_dump(mode="json"), "data": str(data)}
        rule = experiment.rule
        experiment = build_experiment(changed, {}, "data", run_rule_files=False).model_copy(update={"rule": rule})
    return experiment, load_dataset(experiment.data, split, inputs=experiment.input)


def workers_of(workers: int | None, experiment: Experiment) -> int | None:
    """Return how many workers record: unless told, one for the Python engine, whose processes need a guarded script."""
    return 1 if workers is None and choose_engine(experiment) == "runtime" else workers


@contextmanager
def reporter_of(progress: Progress) -> Iterator[Reporter]:
    """Yield where a run sends its news: to the terminal, to a function, or nowhere."""
    if progress is True:
        from snstdp_cli.cli.live import reporter

        with reporter(quiet=False) as report:
            yield report
    elif callable(progress):
        yield Reporter(progress, progress, progress, progress, progress)
    else:
        yield Reporter()
