"""Try the promises of docs/reliability.md at length: kill, interrupt, fill disks, damage files, compare bits.

The tests try each promise once or a few times; this tries them often, and on the bundled digits too. It prints a table
and exits with 1 if a promise was broken or could not be tried to its end: a row is printed whatever happens, and what
it has done so far goes to standard error. `--only WORD` tries the promises whose name contains the word.

    python tools/reliability.py
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from advised import ADVISED
from hostile import HOSTILE
from studies import STUDIES
from trials import Trial, can_mount, small_disk, wait_for, working_folder

from snstdp_cli.artefacts import load_responses

NO_CURVE = ("--set", "evaluation.curve_every=0")
LONG = ("--num-examples", "200", "--set", "checkpoint_every=50", "--set", "evaluation.curve_every=50")
DIGITS = ("--data", "bundled", "--n-e", "100", "--set", "chunk=250", "--set", "evaluation.curve_every=1000")


class Bench:
    """The cache that all trials share, and the training that each is compared with."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache

    @cached_property
    def reference(self) -> dict[str, Any]:
        return self.undisturbed()[0]

    @cached_property
    def _long(self) -> tuple[dict[str, Any], float]:
        return self.undisturbed(*LONG)

    @property
    def long(self) -> dict[str, Any]:
        return self._long[0]

    @property
    def seconds(self) -> float:
        return self._long[1]

    def undisturbed(self, *arguments: str) -> tuple[dict[str, Any], float]:
        with self.trial() as trial:
            finish(trial, trial.train(*arguments, name="warm"))
            began = time.monotonic()
            finish(trial, trial.train(*arguments))
            return trial.results(), time.monotonic() - began

    @contextmanager
    def trial(self) -> Iterator[Trial]:
        with working_folder() as folder:
            yield Trial(folder, self.cache)


def finish(trial: Trial, process: Any) -> str:
    """Wait for a program that must succeed and leave nothing behind."""
    code, said = trial.end(process, 600)
    if code or trial.leftovers():
        raise AssertionError(f"exit code {code}, left {trial.leftovers()}: {said[-400:]}")
    return said


def check(holds: bool, what: str) -> None:
    """Count a promise as broken unless it holds."""
    if not holds:
        raise AssertionError(what)


def kill_at_random_moments(bench: Bench) -> str:
    """Kill a training that has 50 chunks, and go on."""
    resumed, done = 0, 0
    for moment in np.random.default_rng(20).uniform(0.3, bench.seconds, 20):
        with bench.trial() as trial:
            process = trial.train(*LONG)
            time.sleep(moment)
            process.kill()
            process.wait()
            wait_for(lambda: not trial.processes(), 5)
            if (trial.folder / "weights" / "a.json").exists():
                done += 1
                continue
            finish(trial, trial.train(*LONG, "--resume"))
            check(trial.results() == bench.long, f"killed after {moment:.2f} s: another result")
            resumed += 1
    return f"20 kills, {resumed} resumed to the same bits, {done} came when everything was written"


def kill_at_every_write(bench: Bench) -> str:
    """Kill a training before each call that puts something on the disk."""
    tried = 0
    for call in ("fsync", "replace"):
        for number in range(1, 100):
            with bench.trial() as trial:
                if trial.end(trial.train(TRIAL_HOOK=f"{call}:{number}:kill"))[0] == 0:
                    break
                finish(trial, trial.train("--resume"))
                check(trial.results() == bench.reference, f"killed at {call} {number}: another result")
                tried += 1
    return f"killed before each of {tried} calls of fsync and rename; every one resumed to the same bits"


def interrupt_at_random_moments(bench: Bench) -> str:
    """From the first line of output on; before it nothing is open yet."""
    codes: dict[int, int] = {}
    for k, share in enumerate(np.random.default_rng(21).uniform(0, 1, 40)):
        with bench.trial() as trial:
            process = trial.train(*LONG)
            wait_for(lambda: (trial.folder / "output.txt").read_text())
            time.sleep(share * max(0.1, bench.seconds - 0.5))
            process.send_signal((signal.SIGINT, signal.SIGTERM)[k % 2])
            code, said = trial.end(process, 20)
            complete = (trial.folder / "weights" / "a.json").exists() and "interrupted" not in said
            check(code == 130 or complete, f"exit code {code}: {said[-300:]}")
            check(trial.leftovers() == [], f"left {trial.leftovers()}")
            if not complete:
                finish(trial, trial.train(*LONG, "--resume"))
            check(trial.results() == bench.long, "another result")
            codes[code if not complete else 0] = codes.get(code if not complete else 0, 0) + 1
    return f"40 signals (SIGINT, SIGTERM): {codes.get(130, 0)} with exit code 130, {codes.get(0, 0)} came after the end"


def interrupt_recordings(bench: Bench) -> str:
    """Signal a recording as soon as it has begun."""
    stopped = 0
    with bench.trial() as trial:
        finish(trial, trial.train())
        for k, moment in enumerate(np.random.default_rng(22).uniform(0.0, 0.05, 20)):
            shutil.rmtree(trial.folder / "activity", ignore_errors=True)
            process = trial.start("test", "--load-name", "a", "--workers", "2")
            wait_for(lambda: process.poll() is not None or list(trial.temporary.glob("snstdp-*")))  # noqa: B023
            time.sleep(moment)
            process.send_signal((signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[k % 3])
            process.wait(20)
            wait_for(lambda: not trial.processes(), 5)
            stopped += process.returncode != 0
            found = list((trial.folder / "activity").glob("*.npz"))
            for path in found:
                load_responses(path)
        finish(trial, trial.start("test", "--load-name", "a", "--force"))
    return f"20 signals, {stopped} before the end: no half recording, no process, no file left"


def full_disk(bench: Bench) -> str:
    """Give weights, and the files of the simulation, disks of many sizes."""
    with bench.trial() as trial:
        if not can_mount(trial.folder / "disk"):
            return "skipped: a small disk cannot be mounted here (this needs root)"
        reference = bench.undisturbed(*NO_CURVE)[0]
    refused = {"weights": 0, "simulation": 0}
    fitted = dict(refused)
    for kind, sizes in (("weights", range(4, 60, 4)), ("simulation", range(8, 700, 24))):
        for size in sizes:
            with bench.trial() as trial, small_disk(trial.folder / "disk", size) as remount:
                disk = trial.folder / "disk"
                options = {"TMPDIR": str(disk)} if kind == "simulation" else {}
                arguments = (*NO_CURVE, "--workdir", str(disk)) if kind == "weights" else NO_CURVE
                code, said = trial.end(trial.train(*arguments, **options))
                if code:
                    check(code == 1 and "ree some space" in said, f"{size} kB: exit code {code}: {said[-300:]}")
                    refused[kind] += 1
                    remount("size=8m")
                    finish(trial, trial.train(*arguments, "--resume", **options))
                else:
                    fitted[kind] += 1
                found = trial.results(folder=disk if kind == "weights" else None)
                check(found == reference, f"{kind} on {size} kB: another result")
    return (
        f"weights on disks of 4 to 56 kB: {refused['weights']} refused with a sentence, {fitted['weights']} fitted; "
        f"simulation files on 8 to 680 kB: {refused['simulation']} and {fitted['simulation']}; all resumed, same bits"
    )


def damaged_checkpoints(bench: Bench) -> str:
    """Flip bits and cut the newest checkpoint."""
    random = np.random.default_rng(23)
    for k in range(20):
        with bench.trial() as trial:
            trial.end(trial.train(TRIAL_HOOK="replace:8:kill"))
            path = max((trial.folder / "weights" / ".checkpoints").rglob("*.ckpt"))
            data = bytearray(path.read_bytes())
            if k % 2:
                del data[random.integers(len(data)) :]
            else:
                data[random.integers(len(data))] ^= 1 << int(random.integers(8))
            path.write_bytes(data)
            said = finish(trial, trial.train("--resume"))
            check("this checkpoint was skipped" in said, said)
            check(trial.results() == bench.reference, "another result")
    return "10 flipped bits and 10 cuts at random places: each noticed, the checkpoint before was used, same bits"


def same_bits_for_each_rule(bench: Bench) -> str:
    """Train with each rule on each engine."""
    differences = []
    for rule in ("smin", "smax", "triplet"):
        found = {}
        for kind, options in (
            ("C++", {}),
            ("Cython", {}),
            ("NumPy", {"PATH": "/nonexistent", "CXX": None}),
        ):
            with bench.trial() as trial:
                engine = "standalone" if kind == "C++" else "runtime"
                arguments = ("--rule", rule, "--engine", engine, "--num-examples", "20", *NO_CURVE)
                finish(trial, trial.train(*arguments, **options))
                weights = np.load(trial.folder / "weights" / "XeAea.npy")
                found[kind] = (weights, np.load(trial.folder / "weights" / "theta_Aa.npy"))
        for kind in ("Cython", "NumPy"):
            off = max(float(np.abs(a - b).max()) for a, b in zip(found["C++"], found[kind], strict=True))
            if rule != "triplet":
                check(off == 0, f"{rule}, {kind}: differs by {off}")
            differences.append(f"{rule} {kind} {off:.2g}")
    return "largest difference to C++ after 20 examples: " + ", ".join(differences)


def same_bits_on_digits(bench: Bench) -> str:
    """Twice, killed and resumed, and in other chunks: n_e = 100, 1,500 of the bundled digits."""
    arguments = (*DIGITS, "--num-examples", "1500")

    def weights(trial: Trial) -> tuple[bytes, ...]:
        return tuple((trial.folder / "weights" / f"{stem}a.npy").read_bytes() for stem in ("XeAe", "theta_A"))

    with bench.trial() as trial:
        began = time.monotonic()
        finish(trial, trial.train(*arguments))
        seconds, first = time.monotonic() - began, weights(trial)
        for workers in ("1", "2", "4"):
            finish(trial, trial.start("test", "--load-name", "a", "--num-examples", "200", "--workers", workers, "-q"))
            (path,) = (trial.folder / "activity").glob("a.test.200.*.npz")
            path.rename(trial.folder / f"{workers}.npz")
        counts = [load_responses(trial.folder / f"{workers}.npz").counts for workers in ("1", "2", "4")]
        check(all(np.array_equal(counts[0], other) for other in counts[1:]), "workers change the responses")
    with bench.trial() as trial:
        began = time.monotonic()
        finish(trial, trial.train(*arguments))
        again = time.monotonic() - began
        check(weights(trial) == first, "a second run differs")
    with bench.trial() as trial:
        kills = 0
        for share in (0.3, 0.5, 0.7):
            process = trial.train(*arguments, *(("--resume",) if kills else ()))
            time.sleep(share * again)
            process.kill()
            kills += process.wait() != 0
        if not (trial.folder / "weights" / "a.json").exists():
            finish(trial, trial.train(*arguments, "--resume"))
        check(weights(trial) == first, "a killed and resumed run differs")
    with bench.trial() as trial:
        finish(trial, trial.train(*arguments, "--set", "chunk=70"))
        check(weights(trial) == first, "other chunks differ")
    return (
        f"n_e = 100, 1,500 digits ({seconds:.0f} s with, {again:.0f} s without compiling): again, killed {kills} "
        "times, in chunks of 70, with 1, 2 and 4 workers: same bits"
    )


def memory(bench: Bench) -> str:
    """Compare the peak memory of short and long trainings."""
    peaks = {}
    for num in (500, 1_000, 6_000):
        with bench.trial() as trial:
            arguments = (*DIGITS, "--num-examples", str(num), *NO_CURVE, "-q")
            process = trial.train(*arguments)
            most = {"program": 0, "snstdp": 0}
            while process.poll() is None:
                for pid in trial.processes():
                    kind = "snstdp" if pid == process.pid else "program"
                    most[kind] = max(most[kind], peak_kb(pid) if kind == "snstdp" or in_simulation(pid) else 0)
                time.sleep(0.02)
            finish(trial, process)
            peaks[num] = most
    for kind in ("program", "snstdp"):
        check(peaks[6_000][kind] < 1.05 * peaks[1_000][kind] + 1_000, f"the memory of {kind} grows: {peaks}")
    shown = ", ".join(f"{n:,}: {p['program'] / 1000:.1f} and {p['snstdp'] / 1000:.1f}" for n, p in peaks.items())
    return f"peak MB of the program and of snstdp by number of presentations (n_e = 100): {shown}"


def peak_kb(pid: int) -> int:
    """Return the peak memory of a process."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def in_simulation(pid: int) -> bool:
    """Tell whether a process is a simulation program."""
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith("/main")  # noqa: PTH115 - the program may be gone
    except OSError:
        return False


TRIALS: dict[str, Callable[[Bench], str]] = {
    "kill -9 at random moments": kill_at_random_moments,
    "kill -9 at every write": kill_at_every_write,
    "interrupts of a training": interrupt_at_random_moments,
    "signals while recording": interrupt_recordings,
    "full disks": full_disk,
    "damaged checkpoints": damaged_checkpoints,
    "engines agree": same_bits_for_each_rule,
    "same bits on digits": same_bits_on_digits,
    "constant memory": memory,
} | {name: lambda bench, trial=trial: trial(bench.trial) for name, trial in HOSTILE.items()}
TRIALS |= {name: lambda _, trial=trial: trial() for name, trial in STUDIES.items()}

TRIALS |= {name: lambda bench, trial=trial: trial(bench.trial) for name, trial in ADVISED.items()}


def attempt(trial: Callable[[Bench], str], bench: Bench) -> tuple[bool, str]:
    """Try a promise; return whether it held, and the outcome on one line whatever happened."""
    try:
        held, outcome = True, trial(bench)
    except AssertionError as error:
        held, outcome = False, f"BROKEN: {error}"
    except Exception as error:
        held, outcome = False, f"NOT TRIED TO ITS END: {type(error).__name__}: {error}"
    return held, " ".join(outcome.split())


def main() -> int:
    """Try the promises and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default="", help="try the promises whose name contains this word")
    chosen = {name: trial for name, trial in TRIALS.items() if parser.parse_args().only in name}
    broken = 0
    print("| promise | outcome | seconds |\n|---|---|---|", flush=True)
    with working_folder() as cache:
        bench = Bench(cache)
        for name, trial in chosen.items():
            began = time.monotonic()
            print(f"{name} ...", file=sys.stderr, flush=True)
            held, outcome = attempt(trial, bench)
            broken += not held
            print(f"| {name} | {outcome} | {time.monotonic() - began:.0f} |", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
