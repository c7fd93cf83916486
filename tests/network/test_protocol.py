"""The protocol's statements, run step by step as plain Python: show, rest, try again, stop."""

from __future__ import annotations

from typing import Any

import pytest
import statements

from snstdp_cli.config import build_experiment
from snstdp_cli.network import protocol

STIMULUS, WHOLE = 4, 7
CONSTANTS = {
    "stimulus_steps": STIMULUS,
    "presentation_steps": WHOLE,
    "last_tick": WHOLE - 1,
    "min_spikes": 2,
    "max_attempts": 3,
}
#: (example, attempt) -> ticks with an excitatory spike. Those at tick 0 and in the rest count for nothing.
SPIKES = {(0, 0): [1, 4], (1, 0): [0, 3, 5, 6], (1, 1): [2, 2, 3], (2, 0): [0, 5, 6], (2, 2): [4]}


def present(wanted: int, steps: int = 200) -> tuple[list[dict[str, Any]], list[tuple[int, ...]], int]:
    """Run the controller; return its variables in each step, the arguments of the keys, and when it stopped."""
    keys: list[tuple[int, ...]] = []
    halted: list[int] = []

    def draw_key(*arguments: int) -> int:
        keys.append(tuple(int(value) for value in arguments))
        return len(keys)

    def stop_if(done: int) -> int:
        halted.append(int(done))
        return done

    state: dict[str, Any] = {**CONSTANTS, "draw_key": draw_key, "stop_if": stop_if, "first": 10, "wanted": wanted}
    state |= {"tick": -1, "example": 0, "attempt": 0, "spikes": 0, "seed": 8, "stream": 3}
    history: list[dict[str, Any]] = []
    while len(history) < steps and not any(halted):
        state = statements.run(protocol.CONTROLLER_STEP, state)
        here = SPIKES.get((int(state["example"]), int(state["attempt"])), [])
        for _ in range(here.count(int(state["tick"]))):
            names = {"spikes_post": state["spikes"], "tick_post": state["tick"], "stimulus_steps": STIMULUS}
            state["spikes"] = statements.run(protocol.COUNT_SPIKE, names)["spikes_post"]
        history.append(dict(state))
    return history, keys, len(history)


def test_examples_are_shown_until_they_are_answered_or_the_cap_is_reached() -> None:
    history, keys, stopped = present(3)
    tries = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]
    assert stopped == len(tries) * WHOLE
    expected = [(example, attempt, tick) for example, attempt in tries for tick in range(WHOLE)]
    assert [(int(s["example"]), int(s["attempt"]), int(s["tick"])) for s in history] == expected
    # Each try has a key of its own.
    assert keys == [(8, 3, 10 + example, attempt) for example, attempt, _ in expected]
    ends = [int(state["spikes"]) for state in history[WHOLE - 1 :: WHOLE]]
    assert ends == [2, 1, 3, 0, 0, 1]


@pytest.mark.parametrize(("wanted", "presentations"), [(1, 1), (2, 3)])
def test_a_chunk_ends_with_the_last_step_of_its_last_example(wanted: int, presentations: int) -> None:
    assert present(wanted)[2] == presentations * WHOLE


def test_the_image_appears_at_tick_0_and_vanishes_at_the_end_of_the_stimulus() -> None:
    def ticks(condition: str) -> list[int]:
        return [tick for tick in range(WHOLE) if statements.evaluate(condition, {**CONSTANTS, "tick": tick})]

    assert {name: ticks(condition) for name, condition in protocol.CONTROLLER_EVENTS.items()} == {
        "show": [0],
        "hide": [STIMULUS],
    }
    assert ticks(protocol.BEGIN["begin"]) == [0]
    assert protocol.SHOW_IMAGE.keys() == protocol.CONTROLLER_EVENTS.keys()


def test_an_input_fires_with_its_pixels_chance_which_grows_with_every_try() -> None:
    names: dict[str, Any] = {"pixels": lambda time, j: 100 * time + j, "second": 1, "j": 7, "example_pre": 2}
    names |= {"intensity": 3.0, "attempt_pre": 2, "chance_per_grey": 0.001, "t_in_timesteps": 50, "longest_gap": 5}
    names |= {"key_pre": 0.5, "mean_wait": lambda chance: 1 / chance}
    names["draw_gap"] = lambda key, i, nth, wait, longest: told.append((key, i, nth, wait, longest)) or 4
    told: list[tuple[float, ...]] = []
    after = statements.run(protocol.SHOW_IMAGE["show"], names)
    assert after["wait_post"] == pytest.approx(1 / (207 * 5 * 0.001))
    assert (after["nth_post"], after["next_step_post"]) == (0, 54)
    assert told == [(0.5, 7, 0, after["wait_post"], 5)]
    hidden = statements.run(protocol.SHOW_IMAGE["hide"], after)["next_step_post"]
    assert [
        statements.evaluate(protocol.INPUT_THRESHOLD, {"next_step": n, "t_in_timesteps": 54}) for n in (53, 54)
    ] == [
        False,
        True,
    ]
    assert not any(
        statements.evaluate(protocol.INPUT_THRESHOLD, {"next_step": hidden, "t_in_timesteps": t}) for t in (0, 1, 99)
    )


def test_an_input_that_fires_draws_the_gap_to_its_next_spike() -> None:
    told: list[tuple[float, ...]] = []
    names: dict[str, Any] = {"key": 0.25, "i": 3, "nth": 6, "wait": 12.5, "longest_gap": 5, "t_in_timesteps": 54}
    names["draw_gap"] = lambda *arguments: told.append(arguments) or 2
    after = statements.run(protocol.INPUT_RESET, names)
    assert (after["nth"], after["next_step"]) == (7, 56)
    assert told == [(0.25, 3, 7, 12.5, 5)]


def test_a_gap_that_reaches_beyond_the_stimulus_is_never_shorter_than_it() -> None:
    experiment = build_experiment({"presentation": {"stimulus_ms": 100}})
    assert protocol.input_constants(experiment) == {"longest_gap": 201}
