"""What a training writes down as it goes, and the settings that tell two trainings apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from snstdp_cli.config import Experiment, recorded_experiment
from snstdp_cli.errors import ArtefactError, ConfigError

#: Settings that do not change the result of a training: a resumed one may have others.
_FREE = {"chunk", "engine", "checkpoint_every", "evaluation", "save_name", "epochs"}


@dataclass
class Journal:
    """What accumulates over the chunks of a training and goes into its checkpoints and provenance."""

    examples: int = 0
    seconds: float = 0.0
    presentations: int = 0
    silent: int = 0
    start_bounds: tuple[float, float] = (0.0, 0.0)
    history: dict[str, list[float]] = field(default_factory=dict)
    curve: list[tuple[int, float]] = field(default_factory=list)

    def to_meta(self) -> dict[str, Any]:
        return {**vars(self), "start_bounds": list(self.start_bounds), "curve": [list(p) for p in self.curve]}

    @classmethod
    def from_meta(cls, meta: dict[str, Any]) -> Journal:
        try:
            kept = {key: meta[key] for key in vars(cls())}
            kept["start_bounds"] = (float(kept["start_bounds"][0]), float(kept["start_bounds"][1]))
            kept["curve"] = [(int(examples), float(accuracy)) for examples, accuracy in kept["curve"]]
            return cls(**kept)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ArtefactError(f"the checkpoint is of another version of snstdp ({error}); train again") from None


def fingerprint(experiment: Experiment) -> dict[str, Any]:
    """Return the settings that a training's result depends on, but for its length."""
    settings = experiment.model_dump(mode="json", exclude=_FREE | {"num_examples"})
    return {**settings, "theta_step_mv": experiment.theta_step_mv}


def fingerprint_of(provenance: dict[str, Any]) -> dict[str, Any] | None:
    """Return the settings and the length of the training that a provenance record describes."""
    recorded = provenance.get("experiment")
    try:
        experiment = recorded_experiment(recorded, "the provenance")
    except ConfigError:
        return None
    return {**fingerprint(experiment), "num_examples": experiment.num_examples}
