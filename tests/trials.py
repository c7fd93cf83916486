"""What trials of reliability share: start the installed program, disturb it, and compare what it left."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from synthetic import SMALL, write_idx_set

import snstdp_cli
from snstdp_cli.config import merge

PROGRAM = Path(sys.executable).with_name("snstdp")
#: The small experiment, long enough to be hit in the middle: ten chunks, two snapshots, two points of the curve.
LONGER: dict[str, Any] = {"num_examples": 40, "checkpoint_every": 20, "evaluation.curve_every": 20}

#: Imported by Python before the program: at call number AT of os.FUNCTION it does what ACTION says.
_HOOK = """
import faulthandler, os, signal, sys, time
if sys.stderr is not None:
    faulthandler.register(signal.SIGUSR1)
def _install(name, at, action):
    original, calls = getattr(os, name), []
    def hooked(*args, **kwargs):
        calls.append(1)
        if len(calls) == at:
            open(os.environ["TRIAL_MARK"], "w").close()
            if action == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            for _ in range(600):  # a signal that arrives just before a sleep is noticed after it
                time.sleep(0.1)
        return original(*args, **kwargs)
    setattr(os, name, hooked)
if os.environ.get("TRIAL_HOOK"):
    name, at, action = os.environ["TRIAL_HOOK"].split(":")
    _install(name, int(at), action)
if os.environ.get("TRIAL_CLOCK"):
    import random
    def jumping(random=random.Random(1), time=time.time):
        return max(0.0, time() + random.choice((-3e7, -3600, 0, 3600, 3e7)))
    time.time = jumping
    time.time_ns = lambda: int(jumping() * 1e9)
"""


def own_cache() -> Path:
    """Return a cache of programs that no other process of the test session uses: a trial kills what works in it."""
    return Path(f"{os.environ['SNSTDP_CACHE']}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")


class Trial:
    """A folder with data and a configuration, in which the program is run and disturbed."""

    def __init__(self, folder: Path, cache: Path, temporary: Path | None = None) -> None:
        self.folder, self.cache = folder, cache
        self.temporary = temporary or folder / "tmp"
        for place in (folder, cache, self.temporary):
            place.mkdir(parents=True, exist_ok=True)
        write_idx_set(folder / "MNIST")
        (folder / "small.yaml").write_text(yaml.safe_dump(merge(SMALL, LONGER)))
        (folder / "hook").mkdir(exist_ok=True)
        (folder / "hook" / "sitecustomize.py").write_text(_HOOK)
        self.mark = folder / "mark"

    @property
    def python_path(self) -> str:
        """Where the program finds modules: the hook, and the very package that is tried."""
        return os.pathsep.join((str(self.folder / "hook"), str(Path(snstdp_cli.__file__).parents[1])))

    def start(
        self, *arguments: str, limit: int | None = None, shell: bool = False, **environment: str | None
    ) -> subprocess.Popen[str]:
        """Start the program with its output going to a file.

        Parameters
        ----------
        limit
            The largest file that it may write.
        shell
            The argument is a command line for `sh`, which names the program itself.
        """
        self.mark.unlink(missing_ok=True)
        values: dict[str, str | None] = {
            **os.environ,
            "SNSTDP_CACHE": str(self.cache),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": self.python_path,
            "TRIAL_MARK": str(self.mark),
            "COLUMNS": "200",
            **environment,
        }

        def prepare() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test in the background would hand on that it is ignored
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        with (self.folder / "output.txt").open("w") as output:
            return subprocess.Popen(
                ["/bin/sh", "-c", *arguments] if shell else [str(PROGRAM), *arguments],
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                env={key: value for key, value in values.items() if value is not None},
                preexec_fn=prepare,
            )

    def train(self, *arguments: str, name: str = "a", **options: Any) -> subprocess.Popen[str]:
        """Start a training."""
        return self.start("train", "--config", "small.yaml", "--save-name", name, *arguments, **options)

    def end(self, process: subprocess.Popen[str], timeout: float = 90) -> tuple[int, str]:
        """Wait for the program; return its exit code and what it said. A traceback is never an answer."""
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGUSR1)
            time.sleep(1)
            process.kill()
            said = (self.folder / "output.txt").read_text()
            raise AssertionError(f"not at its end after {timeout} s: {said}") from None
        said = (self.folder / "output.txt").read_text()
        assert "Traceback" not in said, said
        return code, said

    def results(self, name: str = "a", folder: Path | None = None) -> dict[str, Any]:
        """Return everything that a training left and that must not depend on what happened meanwhile."""
        weights = (folder or self.folder) / "weights"
        told = json.loads((weights / f"{name}.json").read_text())
        kept: dict[str, Any] = {key: told[key] for key in ("figures", "learning_curve", "files")}
        # A line of the history is a chunk, and a resumed training may cut its chunks elsewhere.
        kept["last"] = {key: values[-1] for key, values in told["history"].items()}
        for stem in (f"XeAe{name}", f"theta_A{name}"):
            for path in (weights / f"{stem}.npy", *sorted(weights.glob(f"snapshots/{stem}.ex*.npy"))):
                kept[path.name] = path.read_bytes()
        return kept

    def leftovers(self) -> list[str]:
        """Return temporary files and folders, half-made programs and processes that should not be there."""
        left = [str(path) for path in self.folder.rglob("*.snstdp-tmp")]
        left += [str(path) for path in self.temporary.glob("*")]
        left += [str(path) for path in self.cache.glob("programs/building-*")]
        return left + [f"process {pid}" for pid in self.processes()]

    def processes(self) -> list[int]:
        """Return the processes that work in this trial's folders, but for the test itself."""
        found = []
        places = [str(place) for place in (self.folder, self.temporary, self.cache)]
        for link in Path("/proc").glob("[0-9]*/cwd"):
            with contextlib.suppress(OSError):
                where = os.readlink(link)  # noqa: PTH115 - of a folder that may be gone
                if int(link.parent.name) != os.getpid() and any(where.startswith(place) for place in places):
                    found.append(int(link.parent.name))
        return found

    def working_in(self, part: str) -> list[int]:
        """Return the processes that work in a folder with `part` in its name."""
        found = []
        for pid in self.processes():
            with contextlib.suppress(OSError):
                if part in os.readlink(f"/proc/{pid}/cwd"):  # noqa: PTH115
                    found.append(pid)
        return found

    def hanging(self) -> bool:
        """Tell whether a program of `stuck_cache` hangs."""
        for pid in self.working_in("snstdp-"):
            with contextlib.suppress(OSError):
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                if name == "sleep" or (name == "real" and any(map(Path.is_fifo, self.temporary.glob("*/static*/*")))):
                    return True
        return False


@contextmanager
def working_folder() -> Iterator[Path]:
    """Make a folder in memory where there is room, so that a busy disk does not make the trials slow."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**28 else None
    with tempfile.TemporaryDirectory(prefix="trials-", dir=place, ignore_cleanup_errors=True) as name:
        yield Path(name)


def wait_for(what: Callable[[], Any], seconds: float = 120) -> Any:
    """Return what `what` returns as soon as that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.002)
    raise AssertionError(f"not within {seconds} s")


_STAND_IN = """
import os, subprocess, sys

real = None
while True:
    request = b""
    while not request.endswith(b"\\0\\0"):
        if not (read := os.read(0, 65536)):
            sys.exit()
        request += read
    number = 0
    while True:
        try:  # making a folder is how two programs at once cannot draw the same number
            os.mkdir(f"{FOLDER}/run{number}")
            break
        except FileExistsError:
            number += 1
    if number >= AFTER:
        if real is not None:
            real.kill()
            real.wait()
        if not IMAGES:
            os.execvp("sleep", ["sleep", "600"])
        os.unlink(IMAGES)
        os.mkfifo(IMAGES)
        os.execv(REAL, [REAL, *sys.argv[1:]])
    if real is None:
        environment = {name: value for name, value in os.environ.items() if name != "SNSTDP_PARENT"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        real = subprocess.Popen([REAL, *sys.argv[1:]], bufsize=0, env=environment, **pipes)
    real.stdin.write(request)
    os.write(1, real.stdout.readline())
"""


def stuck_cache(cache: Path, copy: Path, *, learning: bool, after: int, itself: bool = False) -> Path:
    """Copy a cache of programs; those of one kind answer `after` requests, all together, and then hang.

    With `itself` the real program hangs (its images come from a pipe that nobody fills), otherwise a stand-in.
    """
    shutil.copytree(cache, copy)
    for manifest in copy.glob("programs/*/manifest.json"):
        content = json.loads(manifest.read_text())
        if ("input_exc.arrived" in content["state"]) != learning:
            continue
        program, images = manifest.with_name("main"), f"static_arrays/{content['static']['pixels']['file']}"
        real = program.rename(program.with_name("real"))
        settings = f"FOLDER, AFTER, REAL, IMAGES = {str(copy)!r}, {after}, {str(real)!r}, {images if itself else ''!r}"
        program.write_text(f"#!{sys.executable} -SE\n{settings}\n{_STAND_IN}")
        program.chmod(0o755)
        content["sha256"] = hashlib.sha256(program.read_bytes()).hexdigest()
        manifest.write_text(json.dumps(content))
    return copy


@contextmanager
def small_disk(folder: Path, size_kb: int) -> Iterator[Callable[[str], None]]:
    """Mount a disk in memory of this size; yield a function that mounts it again with other options.

    Raises
    ------
    OSError
        If this system does not let us.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def mount(options: str) -> None:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise OSError(done.stderr.strip())

    mount(f"size={size_kb}k")
    try:
        yield lambda options: mount(f"remount,{options}")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def can_mount(folder: Path) -> bool:
    """Tell whether a small disk can be mounted here."""
    if shutil.which("mount") is None:
        return False
    try:
        with small_disk(folder, 64):
            return True
    except OSError:
        return False
