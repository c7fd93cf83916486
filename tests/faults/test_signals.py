"""Signals that end a run, in every state of their handlers."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from snstdp_cli.signals import END_SIGNALS, hold_interrupts

HOLD = """
import signal, sys, os
from snstdp_cli.signals import hold_interrupts
number = int(sys.argv[1])
signal.signal(number, getattr(signal, sys.argv[2]))
with hold_interrupts():
    os.kill(os.getpid(), number)
    print("whole", flush=True)
print("alive", flush=True)
"""


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in END_SIGNALS}
    yield
    assert {number: signal.getsignal(number) for number in END_SIGNALS} == before


@pytest.fixture(params=END_SIGNALS, ids=lambda number: number.name)
def foreign(request: pytest.FixtureRequest) -> Iterator[tuple[int, list[int]]]:
    """A signal with somebody's handler, and what that handler was called with."""
    caught: list[int] = []
    before = signal.signal(request.param, lambda number, frame: caught.append(number))
    yield request.param, caught
    signal.signal(request.param, before)


def test_a_foreign_handler_is_called_once_when_the_body_is_done(foreign: tuple[int, list[int]]) -> None:
    number, caught = foreign
    with hold_interrupts():
        for _ in range(3):
            signal.raise_signal(number)
        assert caught == []
    assert caught == [number]


def test_a_signal_held_while_the_body_fails_is_not_lost(foreign: tuple[int, list[int]]) -> None:
    number, caught = foreign

    def fail() -> None:
        with hold_interrupts():
            signal.raise_signal(number)
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    assert caught == [number]


def test_holding_may_be_nested(foreign: tuple[int, list[int]]) -> None:
    number, caught = foreign
    with hold_interrupts():
        with hold_interrupts():
            signal.raise_signal(number)
        assert caught == []
    assert caught == [number]


@pytest.mark.parametrize("number", END_SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize(("state", "alive"), [("SIG_DFL", False), ("SIG_IGN", True)])
def test_a_default_or_ignored_signal_waits_for_the_body_and_does_what_it_did(
    number: int, state: str, alive: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOLD, str(int(number)), state], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == (["whole", "alive"] if alive else ["whole"])
    assert done.returncode == (0 if alive else -number)


def test_ctrl_c_is_a_keyboard_interrupt_after_the_body() -> None:
    whole: list[bool] = []

    def interrupted() -> None:
        with hold_interrupts():
            signal.raise_signal(signal.SIGINT)
            whole.append(True)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert whole == [True]


def test_another_thread_holds_nothing_and_breaks_nothing() -> None:
    told: list[Any] = []

    def work() -> None:
        with hold_interrupts():
            told.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert told == [signal.getsignal(signal.SIGINT)]
