"""Break each term of each learning rule and of the network once and see whether a test notices.

Every mutation is a replacement of text in a temporary copy of the package. Only the fast tests that know the broken
file are run, none of which compiles a network, each in a process that is forked after the libraries were imported, and
no further than to the first that fails. A test that fails without any mutation too has noticed nothing: it is named,
and what it noticed is tried again without it. Exit code 1 if a mutation survives, 2 if one no longer applies.

    python tools/mutate.py [--jobs 2] [--only network/] [--part 1/4]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mutations import MUTATIONS, TESTS, Mutation

ROOT = Path(__file__).resolve().parent.parent
#: After so many seconds of computing a mutation counts as noticed: it made something endless.
_ENDLESS_S = 300


def copy_project(folder: Path) -> None:
    """Copy the package and its tests."""
    for name in ("snstdp_cli", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", folder)


def tests_of(names: Iterable[str]) -> list[str]:
    """Return the paths of the tests that know these files, each once."""
    known = [test for name in names for start, tests in TESTS.items() if name.startswith(start) for test in tests]
    return [f"tests/{test}.py" for test in dict.fromkeys(known)]


def import_libraries() -> None:
    """Import what all tests need, but nothing of the package, so that a forked process starts with it."""
    sys.path.insert(0, str(ROOT))
    from snstdp_cli.brian_import import prepare_brian

    prepare_brian()
    for name in [name for name in sys.modules if name.partition(".")[0] == "snstdp_cli"]:
        del sys.modules[name]
    sys.path.remove(str(ROOT))
    import hypothesis
    import hypothesis.extra.numpy
    import pydantic
    import pytest  # noqa: F401
    import typer.testing  # noqa: F401

    assert pydantic.VERSION
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # nobody reads the smallest example
    hypothesis.settings.register_profile(
        "mutations", derandomize=True, database=None, deadline=None, max_examples=60, phases=phases
    )


def run_tests(folder: Path, tests: list[str], *options: str) -> int:
    """Run the tests that compile no network on the package in `folder`, and never return: end with pytest's code."""
    import pytest

    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "SNSTDP_CACHE": str(folder / "cache")}
    with (folder / "output.txt").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    chosen = ("-m", "not compiles and not slow", "--hypothesis-profile=mutations", f"--basetemp={folder / 'tmp'}")
    quiet = ("-n", "0", "-p", "no:cacheprovider", "-W", "ignore", "-rfE", "--tb=no")
    code = 3
    try:
        signal.setitimer(signal.ITIMER_PROF, _ENDLESS_S)
        code = int(pytest.main([*chosen, *quiet, *options, *tests]))
    finally:
        sys.stdout.flush()
        os._exit(code)


@dataclass
class Trial:
    """A process that runs tests in a folder of its own."""

    folder: Path
    tests: list[str]
    options: tuple[str, ...] = ()
    process: int = 0
    started_s: float = 0.0

    def start(self) -> None:
        self.started_s = time.monotonic()
        sys.stdout.flush()
        self.process = os.fork()
        if self.process == 0:
            run_tests(self.folder, self.tests, *self.options)

    def outcome(self, status: int) -> tuple[int, list[str]]:
        """Return pytest's exit code (below 0 for a signal) and the test functions that failed; the folder goes."""
        code, output = os.waitstatus_to_exitcode(status), (self.folder / "output.txt").read_text(errors="replace")
        shutil.rmtree(self.folder, ignore_errors=True)
        return code, list(dict.fromkeys(re.findall(r"^(?:FAILED|ERROR) ([^\s\[]+)", output, re.MULTILINE)))


def mutate(text: str, old: str, new: str, occurrence: int) -> str | None:
    """Replace one occurrence of `old`, or return None if there is none."""
    at = -1
    for _ in range(occurrence + 1):
        at = text.find(old, at + 1)
        if at < 0:
            return None
    return text[:at] + new + text[at + len(old) :]


def prepare(mutation: Mutation, left_out: list[str], place: Path) -> Trial | None:
    """Copy the project with this mutation; None if it does not apply."""
    name, old, new, occurrence = mutation
    mutated = mutate((ROOT / "snstdp_cli" / name).read_text(), old, new, occurrence)
    if mutated is None:
        return None
    folder = Path(tempfile.mkdtemp(dir=place))
    copy_project(folder)
    (folder / "snstdp_cli" / name).write_text(mutated)
    return Trial(folder, tests_of([name]), ("-x", *(f"--deselect={test}" for test in left_out)))


def try_all(
    mutations: list[Mutation], left_out: list[str], place: Path, jobs: int
) -> Iterator[tuple[Mutation, str, str | None]]:
    """Yield each mutation with what became of it and the test that noticed, as they end."""
    running: dict[int, tuple[Mutation, Trial]] = {}
    waiting = list(reversed(mutations))
    while waiting or running:
        while waiting and len(running) < jobs:
            mutation = waiting.pop()
            trial = prepare(mutation, left_out, place)
            if trial is None:
                yield mutation, "does not apply", None
                continue
            trial.start()
            running[trial.process] = mutation, trial
        if running:
            process, status = os.wait()
            mutation, trial = running.pop(process)
            code, failed = trial.outcome(status)
            told = f"{verdict(code, failed)} ({time.monotonic() - trial.started_s:.0f} s)"
            yield mutation, told, failed[0] if failed else None


def verdict(code: int, failed: list[str]) -> str:
    """Say what tests made of a mutation, from pytest's exit code (below 0 for a signal) and those that failed."""
    if failed:
        return f"noticed by {failed[0].rpartition('::')[2]}"
    if code < 0:
        return f"noticed by signal {-code}"
    return f"pytest ended with {code}" if code else "survived"


def failing_anyway(tests: list[str], place: Path) -> list[str]:
    """Return which of these tests fail without any mutation.

    Raises
    ------
    SystemExit
        If they cannot be run.
    """
    folder = Path(tempfile.mkdtemp(dir=place))
    copy_project(folder)
    trial = Trial(folder, tests)
    trial.start()
    code, failed = trial.outcome(os.waitpid(trial.process, 0)[1])
    if code not in (0, 1):
        print(f"the tests cannot be run: pytest ended with {code}")
        raise SystemExit(2)
    return failed


def main() -> int:
    """Try all mutations and print what became of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, help="mutations tried at the same time")
    parser.add_argument("--only", default="", help="only mutations of files whose path begins like this: network/")
    parser.add_argument("--part", default="1/1", help="only one of so many parts: 2/4")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    mutations = [mutation for mutation in MUTATIONS if mutation[0].startswith(options.only)][part - 1 :: parts]
    started_s, left_out, waiting, results = time.monotonic(), list[str](), mutations, Counter[str]()
    import_libraries()
    with tempfile.TemporaryDirectory(prefix="mutate-") as temporary:
        place = Path(temporary)
        while waiting:
            noticed = list[tuple[Mutation, str]]()
            for mutation, result, test in try_all(waiting, left_out, place, options.jobs):
                print(f"{result:<16} {mutation[0]}: {mutation[1]!r} -> {mutation[2]!r}", flush=True)
                results["noticed" if "noticed" in result else result.partition(" (")[0]] += 1
                noticed += [] if test is None else [(mutation, test)]
            failing = failing_anyway(sorted({test for _, test in noticed}), place) if noticed else []
            for test in failing:
                print(f"fails without a mutation, left out: {test}")
            left_out += failing
            waiting = [mutation for mutation, test in noticed if test in failing]
            results["noticed"] -= len(waiting)
    minutes = (time.monotonic() - started_s) / 60
    print(
        f"{len(mutations)} mutations in {minutes:.0f} minutes:", ", ".join(f"{n} {what}" for what, n in results.items())
    )
    return 1 if results["survived"] else 0 if results["noticed"] == len(mutations) else 2


if __name__ == "__main__":
    sys.exit(main())
