"""Draw a run while it goes on, from its events: weights/<name>.events.jsonl.

    snstdp run --n-e 100 --num-examples 1500 --data bundled --save-name first
    python examples/live/follow.py weights/first.events.jsonl

writes live.png anew after each event until the run ends. In a notebook the figure is drawn in the cell:

    from follow import follow
    follow("weights/first.events.jsonl")

It needs matplotlib, which comes with snstdp, and nothing of snstdp itself: any program can read the lines.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

Event = dict[str, Any]


def read_lines(path: Path, wait_s: float = 0.5, *, once: bool = False) -> Iterator[list[Event]]:
    """Yield the events that are there, then new ones as they come; with `once` stop at what is there.

    A run that begins anew empties the file; what was read of the one before is forgotten by `draw`.
    """
    position = 0
    while True:
        if path.exists():
            if path.stat().st_size < position:
                position = 0
            with path.open("rb") as file:
                file.seek(position)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]  # the last line may be half written
            position += len(whole)
            if events := [json.loads(line) for line in whole.splitlines() if line.endswith(b"}")]:
                yield events
        if once:
            return
        time.sleep(wait_s)


def draw(events: list[Event]) -> Figure:
    """Draw accuracy, L1 norm and speed of the training that the last events belong to."""
    training = events[-1]["training"]
    mine = [event for event in events if event["training"] == training]
    chunks = [event for event in mine if event["event"] == "training"]
    curve = [event for event in mine if event["event"] == "curve"]
    figure = Figure(figsize=(10, 3), layout="constrained")
    accuracy, norm, speed = figure.subplots(1, 3)
    accuracy.plot([e["examples"] for e in curve], [100 * e["correct"] / e["total"] for e in curve], "o-")
    accuracy.set(title="accuracy on withheld images (%)", ylim=(0, 100))
    norm.plot([e["examples"] for e in chunks], [e["l1_mean"] for e in chunks])
    if chunks and chunks[-1]["l1_target"] is not None:
        norm.axhline(chunks[-1]["l1_target"], linestyle="--", color="grey")
    norm.set(title="L1 norm, mean (dashed: target)", ylim=(0, None))
    speed.plot([e["examples"] for e in chunks], [e["rate"] for e in chunks])
    speed.set(title="examples per second", ylim=(0, None))
    for axis in (accuracy, norm, speed):
        axis.set_xlabel("training examples")
        axis.spines[["top", "right"]].set_visible(False)
    last = mine[-1]
    figure.suptitle(f"{last['name']}: {last['event']} {last.get('how', '')}".strip())
    return figure


def is_over(event: Event) -> bool:
    """Tell whether an event is the last one of a run: of its test recording, or of work that did not end well."""
    return event["event"] == "ended" and (event["how"] != "complete" or event["split"] != "train")


def follow(path: str | Path, *, once: bool = False) -> None:
    """Draw a run in a notebook until it ends, whether or not the notebook shows figures by itself."""
    from IPython.display import Image, clear_output, display

    events: list[Event] = []
    for new in read_lines(Path(path), once=once):
        events += new
        picture = io.BytesIO()
        draw(events).savefig(picture, format="png")
        clear_output(wait=True)
        display(Image(data=picture.getvalue()))
        if is_over(events[-1]):
            return


def main() -> None:
    """Write the figure anew after each event."""
    parser = argparse.ArgumentParser(description="Draw a run of snstdp while it goes on.")
    parser.add_argument("events", type=Path, help="weights/<name>.events.jsonl")
    parser.add_argument("--output", type=Path, default=Path("live.png"))
    parser.add_argument("--once", action="store_true", help="draw what is there and end")
    arguments = parser.parse_args()
    events: list[Event] = []
    for new in read_lines(arguments.events, once=arguments.once):
        events += new
        draw(events).savefig(arguments.output)
        print(f"{arguments.output}: {len(events)} events", flush=True)
        if is_over(events[-1]):
            return


if __name__ == "__main__":
    main()
