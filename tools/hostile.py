"""Trials of what hostile files, neighbours and broken streams do: rows of `tools/reliability.py`.

Each returns its outcome as a sentence, or raises `AssertionError` with what was broken. None of them compiles.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from trials import PROGRAM, Trial, wait_for

NewTrial = Callable[[], AbstractContextManager[Trial]]
#: Without a compiler: NumPy, whose results are those of the other engines.
NUMPY = {"PATH": "/nonexistent", "CXX": None}
SHORT = ("--num-examples", "10", "--set", "evaluation.curve_every=0")
_WRITER = """
import sys
from pathlib import Path
from snstdp_cli.artefacts import write_atomic
for k in range(int(sys.argv[3])):
    write_atomic(Path(sys.argv[1]) / f"{sys.argv[2]}.json", b"%d" % k)
"""
_MARKING = "from pathlib import Path\nPath({mark!r}).touch()\n"


def check(holds: bool, what: str) -> None:
    """Count a promise as broken unless it holds."""
    if not holds:
        raise AssertionError(what)


def end(trial: Trial, process: Any, *codes: int) -> str:
    """Wait for a program; return what it said if its exit code is one of `codes`."""
    code, said = trial.end(process, 300)
    check(code in codes, f"exit code {code}: {said[-400:]}")
    return said


def eight_writers(new_trial: NewTrial) -> str:
    """Write files, and train networks of different names, from eight processes in one folder."""
    writes = 300
    with new_trial() as trial:
        command = [sys.executable, "-c", _WRITER, str(trial.folder)]
        environment = {**os.environ, "PYTHONPATH": trial.python_path}
        writers = [
            subprocess.Popen([*command, f"f{k}", str(writes)], stderr=subprocess.PIPE, text=True, env=environment)
            for k in range(8)
        ]
        said = [writer.communicate(timeout=600)[1] for writer in writers]
        check(not any(said), f"a write failed: {max(said)[-400:]}")
        trainings = [trial.train(*SHORT, name=f"n{k}", **NUMPY) for k in range(8)]
        for training in trainings:
            end(trial, training, 0)
        first, *others = (trial.results(f"n{k}") for k in range(8))
        weights = {name: data for name, data in first.items() if name.endswith(".npy")}
        for k, other in enumerate(others, 1):
            same = all(other[name.replace("n0", f"n{k}")] == data for name, data in weights.items())
            check(same, f"training {k} has other weights")
        check(not trial.leftovers(), f"left {trial.leftovers()}")
    return f"8 x {writes} writes and 8 trainings in one folder: all whole, same bits, nothing left"


def planted_preferences(new_trial: NewTrial) -> str:
    """Lay Brian 2's preference files where it looks for them, with code, other numbers, other flags and garbage."""
    with new_trial() as trial:
        mark = trial.folder / "ran"
        contents = (
            f"codegen.target = __import__('pathlib').Path({str(mark)!r}).touch() or 'numpy'\n",
            "core.default_float_dtype = float32\n",
            "devices.cpp_standalone.openmp_threads = 7\ncodegen.cpp.extra_compile_args = ['-Ofast']\n",
            "\x00not = preferences [\n",
        )
        end(trial, trial.train(*SHORT, name="clean", **NUMPY), 0)
        clean = trial.results("clean")["XeAeclean.npy"]
        (trial.folder / ".brian").mkdir()
        for k, content in enumerate(contents):
            for place in ("brian_preferences", ".brian/user_preferences"):
                (trial.folder / place).write_text(content)
            end(trial, trial.train(*SHORT, name=f"p{k}", HOME=str(trial.folder), **NUMPY), 0)
            check(trial.results(f"p{k}")[f"XeAep{k}.npy"] == clean, f"preferences {content!r} change the weights")
        check(not mark.exists(), "a preference file was run")
    return f"{len(contents)} contents in both places: none was run, same bits"


def planted_cache(new_trial: NewTrial) -> str:
    """Lay a program into a cache that others can write; everything beside it matches."""
    refused = 0
    with new_trial() as trial:
        for mode in (0o777, 0o1777, 0o770):
            cache = trial.folder / f"cache{mode:o}"
            program = cache / "programs" / ("0" * 24)
            program.mkdir(parents=True)
            text = f"#!/bin/sh\ntouch {shlex.quote(str(trial.folder / 'ran'))}\n"
            (program / "main").write_text(text)
            (program / "main").chmod(0o755)
            manifest = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "state": [], "arrays": {}, "static": {}}
            (program / "manifest.json").write_text(json.dumps(manifest))
            for place in (cache, cache / "programs"):
                place.chmod(mode)
                process = trial.train(*SHORT, "--engine", "standalone", "--force", SNSTDP_CACHE=str(cache))
                check("other users can write" in end(trial, process, 1, 2), "not told")
                place.chmod(0o700)
                refused += 1
        check(not (trial.folder / "ran").exists(), "a planted program was run")
    return f"{refused} folders that others can write: each refused with what to do"


def evil_rule_in_a_record(new_trial: NewTrial) -> str:
    """Name a rule file in the record of a network and in a study; look at both by every command."""
    with new_trial() as trial:
        end(trial, trial.train(*SHORT, **NUMPY), 0)
        mark, record = trial.folder / "ran", trial.folder / "weights" / "a.json"
        (trial.folder / "weights" / "evil.py").write_text(_MARKING.format(mark=str(mark)))
        content = json.loads(record.read_text())
        content["experiment"]["rule"] = {"name": "weights/evil.py:X"}
        record.write_text(json.dumps(content))
        (trial.folder / "evil.yaml").write_text("rule: weights/evil.py:X\n")
        (trial.folder / "study.yaml").write_text("name: s\nvary: {rule: [smin, 'weights/evil.py:X']}\n")
        commands = (
            "config show evil.yaml", "config check evil.yaml", "test --load-name a", "evaluate a",
            "plot all a", "plot raster a", "plot traces a", "plot mistakes a", "report a --example 0 --force",
            "trace a --example 0", "predict a --data mnist", "train --load-name a --more 4 --save-name b",
            "study show study.yaml", "study table study.yaml", "study plot study.yaml", "study report study.yaml",
            "study script study.yaml",
        )  # fmt: skip
        for command in commands:
            end(trial, trial.start(*command.split(), **NUMPY), 0, 1, 2)
            check(not mark.exists(), f"{command}: the rule was run")
    return f"{len(commands)} commands: the file was never run"


def broken_streams(new_trial: NewTrial) -> str:
    """Write to a full device, to closed descriptors and to a pipe that nobody reads any more."""
    program = shlex.quote(str(PROGRAM))
    ways = {">/dev/full": 1, "2>/dev/full": 0, ">&-": 1, "2>&-": 0, "<&- >&- 2>&-": 1, "2>&1 | /usr/bin/head -1": None}
    tried = 0
    with new_trial() as trial:
        train = f"{program} train --config small.yaml --save-name a --force {' '.join(SHORT)}"
        for command in (train, f"{program} test --load-name a --force", f"{program} config show small.yaml"):
            for way, expected in ways.items():
                process = trial.start(f"{command} {way}", shell=True, **NUMPY)
                code, said = trial.end(process, 300)
                check(code in ((0, 1) if expected in (1, None) else (0,)), f"{command} {way}: exit code {code}: {said}")
                check("Traceback" not in said and "Exception ignored" not in said, said)
                check((trial.folder / "weights" / "a.json").exists(), f"{way}: the training did not end")
                tried += 1
    return f"{tried} commands with a full, closed or deaf output: every training complete, no traceback"


def signals_from_the_start(new_trial: NewTrial) -> str:
    """Signal a training at any moment, while modules are imported too."""
    chosen = random.Random(24)
    codes: dict[int, int] = {}
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    with new_trial() as trial:
        began = time.monotonic()
        end(trial, trial.train(*SHORT, **NUMPY), 0)
        seconds = time.monotonic() - began
        for k in range(32):
            print(f"  signal {k + 1} of 32", file=sys.stderr, flush=True)
            process = trial.train(*SHORT, "--force", PYTHONFAULTHANDLER=None, **NUMPY)
            wait_for(lambda pid=process.pid: _catches_signals(pid), 300)  # a busy machine takes long to start Python
            time.sleep(chosen.uniform(0, seconds))
            process.send_signal(numbers[k % 4])
            said = end(trial, process, 0, 130)
            check("Error" not in said, said)
            check(not trial.leftovers(), f"left {trial.leftovers()}")
            codes[process.returncode] = codes.get(process.returncode, 0) + 1
    return f"32 signals of four kinds: {codes.get(130, 0)} times exit code 130, {codes.get(0, 0)} came after the end"


def _catches_signals(pid: int) -> bool:
    """Tell whether a program handles SIGTERM: Python itself, before our first line, cannot."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return True
    caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt")), 0)
    ended = any(line.startswith("State:\tZ") for line in lines)
    return ended or bool(caught & 1 << (signal.SIGTERM - 1))


HOSTILE: dict[str, Callable[[NewTrial], str]] = {
    "eight writers": eight_writers,
    "planted preference files": planted_preferences,
    "planted cache": planted_cache,
    "evil rule in a record": evil_rule_in_a_record,
    "broken streams": broken_streams,
    "signals from the start": signals_from_the_start,
}
