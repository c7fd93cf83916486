"""A scheduler and two workers on three hosts, one of which is cut off in the middle of its cell.

The hosts are network namespaces: each has its own loopback, and a cable from the scheduler's to each of the workers'.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml
from study_trials import StudyTrial
from synthetic import SMALL, write_idx_set
from trials import LONGER, wait_for, working_folder

from snstdp_cli.config import merge

pytestmark = [pytest.mark.compiles, pytest.mark.slow]
PORT = 8786
#: A cut cable is noticed after this time, seconds; Dask takes no less, and by itself 30.
NOTICED_S = 12


def ip(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True)


class Hosts:
    """A host for the scheduler and two for workers, each of which has a cable to the first."""

    def __init__(self) -> None:
        self.stem = f"snstdp{os.getpid()}"
        self.names = [f"{self.stem}-{role}" for role in ("scheduler", "first", "second")]

    def connect(self) -> None:
        for name in self.names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        for k, name in enumerate(self.names[1:], 1):
            ip("link", "add", f"hub{k}", "netns", self.names[0], "type", "veth", "peer", "name", "eth", "netns", name)
            for where, device, address in ((self.names[0], f"hub{k}", 1), (name, "eth", 2)):
                ip("-n", where, "addr", "add", f"10.77.{k}.{address}/24", "dev", device)
                ip("-n", where, "link", "set", device, "up")

    def cut_off(self, worker: int) -> None:
        """Pull the cable of a worker's host."""
        ip("-n", self.names[0], "link", "set", f"hub{worker}", "down")

    def remove(self) -> None:
        for name in self.names:
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "del", name)

    def words(self, host: int) -> list[str]:
        return ["ip", "netns", "exec", self.names[host]]

    @contextmanager
    def started(self, host: int, folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program of Dask on a host; end it and what it started afterwards."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "SNSTDP_CORES": "1",
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": f"{NOTICED_S}s",
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": f"{NOTICED_S}s",
        }
        with (folder / f"host{host}.txt").open("wb") as log:
            process = subprocess.Popen(
                [*self.words(host), sys.executable, "-m", *words],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    pytest.importorskip("distributed")
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the program `ip`")
    made = Hosts()
    try:
        made.connect()
        yield made
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
    finally:
        made.remove()


def write_study(folder: Path) -> None:
    """Write images and a study of four cells of some ten seconds each."""
    write_idx_set(folder / "images")
    longer = {"num_examples": 6000, "chunk": 100, "checkpoint_every": 3000, "presentation.stimulus_ms": 250.0}
    base = merge(SMALL, {**LONGER, **longer, "evaluation.curve_every": 0, "data": "./images"})
    (folder / "trial.yaml").write_text(yaml.safe_dump({"name": "trial", "base": base, "seeds": 4}))


def attempts(trial: StudyTrial) -> dict[str, int]:
    return {path.parent.name: json.loads(path.read_text())["attempts"] for path in trial.cells.glob("*/cell.json")}


def test_a_host_that_is_cut_off_loses_nothing_and_nothing_is_done_twice(hosts: Hosts) -> None:
    with working_folder() as folder, ExitStack() as stack:
        write_study(folder)
        scheduler = ("distributed.cli.dask_scheduler", "--port", str(PORT), "--no-dashboard")
        stack.enter_context(hosts.started(0, folder, *scheduler))
        for k in (1, 2):
            words = ("distributed.cli.dask_worker", f"tcp://10.77.{k}.1:{PORT}", "--nthreads", "1", "--no-dashboard")
            stack.enter_context(hosts.started(k, folder, *words))
        trial = StudyTrial(folder, prefix=hosts.words(0))
        process = trial.run_command("--scheduler", f"tcp://127.0.0.1:{PORT}")
        both = lambda: trial.states().count("running") == 2 and trial.is_training()  # noqa: E731
        wait_for(lambda: both() or process.poll() is not None, 300)
        assert process.poll() is None, trial.output
        time.sleep(1)
        hosts.cut_off(1)
        assert trial.end(process) == 0, trial.output
        disturbed, begun = trial.results(), attempts(trial)
        print(trial.output, begun)
    with working_folder() as folder:
        write_study(folder)
        undisturbed = StudyTrial(folder)
        undisturbed.run()
        assert disturbed == undisturbed.results()
    assert sorted(begun.values()) in ([1, 1, 1, 1], [1, 1, 1, 2])  # the one that was cut off was gone on with, once
