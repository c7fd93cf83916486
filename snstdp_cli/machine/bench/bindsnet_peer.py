"""Time BindsNET's DiehlAndCook2015 on our protocol; run by a Python that has BindsNET, and imported by nobody.

Its network and rule with the settings that it comes with, but for the number of neurons and the time step: 350 ms of
Poisson input (a quarter of the grey value in Hz, as ours), 150 ms without, learning, on one thread. Images of a batch
are presented side by side; no image is shown again. Reference: H. Hazan et al., BindsNET, Frontiers in
Neuroinformatics 12:89 (2018), doi 10.3389/fninf.2018.00089.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

_STIMULUS_MS, _REST_MS = 350, 150


def measure(images: Any, n_e: int, dt_ms: float, batch: int, repeats: int) -> dict[str, Any]:
    """Present `repeats` batches after one that warms up; return milliseconds of each presentation, and its spikes."""
    torch: Any = importlib.import_module("torch")
    poisson: Any = importlib.import_module("bindsnet.encoding").poisson
    models: Any = importlib.import_module("bindsnet.models")
    monitors: Any = importlib.import_module("bindsnet.network.monitors")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    shape = (batch, *images.shape[1:])
    network = models.DiehlAndCook2015(
        n_inpt=images[0].size, n_neurons=n_e, dt=dt_ms, batch_size=batch, inpt_shape=(1, *shape[1:])
    )
    fired = monitors.Monitor(network.layers["Ae"], ["s"], time=int(_STIMULUS_MS / dt_ms))
    network.add_monitor(fired, "fired")
    nothing = torch.zeros(int(_REST_MS / dt_ms), batch, 1, *shape[1:]).byte()
    cpu_ms, wall_ms, spikes = [], [], []
    for k in range(repeats + 1):
        cpu, wall = time.process_time(), time.perf_counter()
        rates = [torch.from_numpy(images[(k * batch + n) % len(images)]).float() / 4 for n in range(batch)]
        trains = torch.stack([poisson(rate, time=_STIMULUS_MS, dt=dt_ms) for rate in rates], 1)
        network.run({"X": trains.view(-1, batch, 1, *shape[1:])}, time=_STIMULUS_MS)
        spikes.append(float(fired.get("s").sum()) / batch)
        network.run({"X": nothing}, time=_REST_MS)
        cpu_ms.append((time.process_time() - cpu) * 1000 / batch)
        wall_ms.append((time.perf_counter() - wall) * 1000 / batch)
    return {"batch": batch, "cpu_ms": cpu_ms[1:], "wall_ms": wall_ms[1:], "spikes": sum(spikes[1:]) / repeats}


def main(images: str, result: str, n_e: str, dt_ms: str, repeats: str, *batches: str) -> None:
    """Measure each size of batch; write the rows and the versions to a file."""
    numpy: Any = importlib.import_module("numpy")
    pixels = numpy.load(images, allow_pickle=False)
    rows = [measure(pixels, int(n_e), float(dt_ms), int(batch), int(repeats)) for batch in batches]
    versions = f"BindsNET {version('bindsnet')}, PyTorch {version('torch')}"
    Path(result).write_text(json.dumps({"versions": versions, "rows": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
