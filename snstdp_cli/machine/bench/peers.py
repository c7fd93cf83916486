"""Other simulators on the same protocol, measured in the same run by a Python of their own."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.engines.compiler import safe_environment
from snstdp_cli.errors import EngineError

Spread = tuple[float, float, float]  # median, minimum, maximum

#: The network that is compared, and the sizes of batch that are tried.
PEER_N_E, PEER_DT_MS, BATCHES = 400, 0.5, (1, 8, 32, 128)
#: What a peer's time is compared with.
COMPARED = "standalone_smax_400"
_SCRIPT = Path(__file__).with_name("bindsnet_peer.py")
_REPEATS = 3
_TIMEOUT_S = 900


@dataclass(frozen=True)
class PeerMeasurement:
    """Milliseconds of a presentation by another simulator."""

    name: str
    versions: str
    batch: int
    cpu_ms: Spread
    wall_ms: Spread
    spikes: float


def measure_bindsnet(
    python: Path, images: NDArray[np.uint8], say: Callable[[str], None] = lambda text: None
) -> list[PeerMeasurement]:
    """Time BindsNET's DiehlAndCook2015 (`bindsnet_peer`), with a batch of 1 and with the one that it likes best.

    Parameters
    ----------
    python
        An interpreter that can import BindsNET: its path, or a name that is looked for where programs are.
    images
        [num, height, width] grey values.

    Raises
    ------
    EngineError
        If it cannot be run, or fails.
    """
    with tempfile.TemporaryDirectory(prefix="snstdp-peer-") as folder:
        shown, result = Path(folder) / "images.npy", Path(folder) / "result.json"
        np.save(shown, images[: max(BATCHES) * (_REPEATS + 1)], allow_pickle=False)
        numbers = [PEER_N_E, PEER_DT_MS, _REPEATS, *BATCHES]
        say(f"BindsNET: {len(BATCHES)} sizes of batch, about a minute")
        try:
            answer = subprocess.run(
                [_program(python), "-P", str(_SCRIPT), str(shown), str(result), *map(str, numbers)],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
                check=False,
                cwd=folder,
                env=safe_environment(),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(f"--bindsnet {python}: cannot be run: {error}; expected a Python interpreter") from None
        if answer.returncode != 0 or not result.exists():
            raise EngineError(
                f"--bindsnet {python}: failed: {answer.stderr.strip()[-500:] or 'it said nothing'}; expected a Python "
                "(3.11 or newer) in which bindsnet is installed"
            )
        found = json.loads(result.read_text())
    rows = [
        PeerMeasurement(
            name=f"bindsnet_diehlandcook_{PEER_N_E}_batch{row['batch']}",
            versions=found["versions"],
            batch=row["batch"],
            cpu_ms=_spread(row["cpu_ms"]),
            wall_ms=_spread(row["wall_ms"]),
            spikes=row["spikes"],
        )
        for row in found["rows"]
    ]
    best = min(rows, key=lambda row: row.cpu_ms[0])
    return [row for row in rows if row.batch == 1 or row is best]


def _program(python: Path) -> str:
    """Return how to start an interpreter: a file of the current folder is meant before a program of its name."""
    return str(python.absolute() if python.exists() else python)


def _spread(values: list[float]) -> Spread:
    return statistics.median(values), min(values), max(values)
