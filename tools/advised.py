"""Trials of events, records, compilers and advice: rows of `tools/reliability.py`, as in `hostile`."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from typing import Any

from hostile import NUMPY, SHORT, NewTrial, check, end
from trials import Trial

#: What a record's values are replaced by.
WRONG: tuple[Any, ...] = ([], {}, None, "", "x" * 5000, True, -1, 1e300, [[[]]], {"a": {"b": []}})


def planted_events(new_trial: NewTrial) -> str:
    """Put a link, a pipe, a folder and a file without rights where a training writes its events."""
    found = []
    for planted in ("nothing", "link", "pipe", "folder", "file of another training"):
        with new_trial() as trial:
            path, target = trial.folder / "weights" / "a.events.jsonl", trial.folder / "target"
            path.parent.mkdir()
            target.write_text("mine")
            if planted == "link":
                path.symlink_to(target)
            elif planted == "pipe":
                os.mkfifo(path)
            elif planted == "folder":
                path.mkdir()
            elif planted != "nothing":
                path.write_text('{"training": "0123456789abcdef"}\n')
            said = end(trial, trial.train(*SHORT, **NUMPY), 0)
            refused = planted in ("link", "pipe", "folder")
            check(("events of this run are not written" in said) == refused, f"{planted}: {said}")
            check(target.read_text() == "mine", f"{planted}: somebody's file was changed")
            found.append(trial.results()["XeAea.npy"])
    check(all(one == found[0] for one in found), "another result")
    return f"{len(found)} trainings, one with nothing planted: same bits, nothing of somebody's was changed"


def wrong_records(new_trial: NewTrial) -> str:
    """Replace values anywhere in the record of a network, and look at it by each command."""
    choose = random.Random(12)
    tried = 0
    with new_trial() as trial:
        end(trial, trial.train(*SHORT, **NUMPY), 0)
        record = trial.folder / "weights" / "a.json"
        original = record.read_text()
        for command in ("plot norm a", "plot curve a", "report a --force", "explain a", "plot fields a") * 6:
            content = json.loads(original)
            _spoil(content, choose)
            record.write_text(json.dumps(content))
            end(trial, trial.start(*command.split(), **NUMPY), 0, 1, 2)
            tried += 1
    return f"{tried} commands on records with a wrong value: never a traceback"


def _spoil(content: Any, choose: random.Random) -> None:
    """Replace one value somewhere in a record."""
    while True:
        keys = list(content) if isinstance(content, dict) else list(range(len(content)))
        key = choose.choice(keys)
        inner = content[key]
        if not (isinstance(inner, dict | list) and inner) or choose.random() < 0.3:
            content[key] = choose.choice(WRONG)
            return
        content = inner


def advice_after_damage(new_trial: NewTrial) -> str:
    """Damage every checkpoint of an interrupted training and do what the error says."""
    with new_trial() as trial:
        trial.end(trial.train(*NO_COMPILER, TRIAL_HOOK="replace:9:kill", **NUMPY))
        checkpoints = list((trial.folder / "weights" / ".checkpoints").rglob("*.ckpt"))
        for path in checkpoints:
            path.write_bytes(path.read_bytes()[:100])
        said = end(trial, trial.train(*NO_COMPILER, "--resume", **NUMPY), 1, 2)
        check("--force" in said, said)
        end(trial, trial.train(*NO_COMPILER, "--force", **NUMPY), 0)
    return f"{len(checkpoints)} checkpoints damaged: the error names --force, which begins anew"


NO_COMPILER = ("--set", "evaluation.curve_every=0")


def broken_compiler(new_trial: NewTrial) -> str:
    """Name a compiler that fails, and do what the error says."""
    with new_trial() as trial:
        said = end(trial, trial.train(*SHORT, CXX="/bin/false", SNSTDP_CACHE=str(trial.folder / "cache")), 1)
        check("compil" in said, said)
        end(trial, trial.train(*SHORT, "--engine", "runtime", **NUMPY), 0)
    return "told with its name and what it said; without any compiler the training runs"


def other_numbers(new_trial: NewTrial) -> str:
    """Change a learning rate, thresholds, intensity and durations: nothing is compiled, the bits are NumPy's."""
    changes = ("rule.eta=0.03", "network.theta_step_mv=0.2", "presentation.intensity=5", "presentation.rest_ms=25")
    arguments = [*SHORT, *(word for change in changes for word in ("--set", change))]

    def weights(trial: Trial) -> tuple[Any, str]:
        return trial.results()["XeAea.npy"], (trial.folder / "output.txt").read_text()

    with new_trial() as trial:
        end(trial, trial.train(*SHORT), 0)
        end(trial, trial.train(*arguments, "--force"), 0)
        compiled, said = weights(trial)
        check("compiling" not in said, said)
    with new_trial() as trial:
        end(trial, trial.train(*arguments, **NUMPY), 0)
        check(weights(trial)[0] == compiled, "another result than NumPy's")
    return f"{len(changes)} other numbers: no compiler ran, and the weights have the bits of NumPy"


ADVISED: dict[str, Callable[[NewTrial], str]] = {
    "planted event files": planted_events,
    "wrong values in records": wrong_records,
    "advice after damaged checkpoints": advice_after_damage,
    "broken compiler": broken_compiler,
    "other numbers need no compiler": other_numbers,
}
