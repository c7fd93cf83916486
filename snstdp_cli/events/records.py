"""The events of a run as validated types: the one schema of `weights/<name>.events.jsonl`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from snstdp_cli.artefacts import Record
from snstdp_cli.artefacts.records import Count, Identity, Real, Text
from snstdp_cli.datasets import Part

Work = Literal["training", "recording"]


class Event(Record):
    """What all events tell: their format, when (UTC), of which weights, and of which training."""

    format: Literal[1] = 1
    time: Text
    name: Text
    training: Identity


class StartedEvent(Event):
    """Work begins, or goes on after `examples` examples."""

    event: Literal["started"] = "started"
    work: Work
    split: Part
    examples: Count
    total: Count


class TextEvent(Event):
    """Something is said, or warned of."""

    event: Literal["note", "warning"]
    text: Text


class PlanEvent(Event):
    """What a training will need, extrapolated from `measured` examples."""

    event: Literal["plan"] = "plan"
    seconds: Real
    rate: Real
    measured: Count
    memory_mb: Real
    disk_mb: Real


class TrainingEvent(Event):
    """The end of a chunk of a training."""

    event: Literal["training"] = "training"
    examples: Count
    total: Count
    seconds: Real
    rate: Real
    spikes_per_example: Real
    retries: Count
    silent: Count
    silent_neurons: Count
    never_learned: Count
    l1_mean: Real
    l1_min: Real
    l1_max: Real
    l1_target: Real | None
    theta_min_mv: Real
    theta_mean_mv: Real
    theta_max_mv: Real


class CurveEvent(Event):
    """A new point of the learning curve, on withheld training images."""

    event: Literal["curve"] = "curve"
    examples: Count
    correct: Count
    total: Count


class RecordingEvent(Event):
    """The end of a block of a recording."""

    event: Literal["recording"] = "recording"
    split: Part
    examples: Count
    total: Count
    rate: Real


class EndedEvent(Event):
    """Work ends; `text` says why if it is not complete."""

    event: Literal["ended"] = "ended"
    work: Work
    split: Part
    how: Literal["complete", "interrupted", "failed"]
    text: Text | None = None


_AnyEvent = Annotated[
    StartedEvent | TextEvent | PlanEvent | TrainingEvent | CurveEvent | RecordingEvent | EndedEvent,
    Field(discriminator="event"),
]
_ADAPTER: TypeAdapter[Event] = TypeAdapter(_AnyEvent)


def event_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line (docs/events.schema.json)."""
    return {"title": "An event of a run of snstdp", **_ADAPTER.json_schema(mode="serialization")}


def parse_event(line: str | bytes) -> Event:
    """Read a line.

    Raises
    ------
    ValueError
        If it is no event of this version.
    """
    return _ADAPTER.validate_json(line)
