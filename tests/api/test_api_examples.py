"""The examples of the public functions do what they say, one after the other in an empty folder as in a notebook."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import snstdp_cli

#: Later ones look at what earlier ones made.
ORDER = ("experiment", "train", "record", "evaluate", "load", "predict", "trace", "run", "study")


def examples_of(name: str) -> list[doctest.DocTest]:
    function = getattr(snstdp_cli, name)
    found = doctest.DocTestFinder(recurse=False).find(function, name, globs={name: function})
    return [test for test in found if test.examples]


def test_every_public_function_has_an_example() -> None:
    functions = [name for name in snstdp_cli.__all__ if name.islower() and name not in ("plot", "__version__")]
    assert sorted(functions) == sorted(ORDER)
    assert [name for name in ORDER if not examples_of(name)] == []


@pytest.mark.slow
@pytest.mark.compiles
def test_the_examples_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    for name in ORDER:
        for test in examples_of(name):
            runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)
