"""A Python that stands for one with another simulator: it measures nothing, and is fastest with batches of 32."""

from __future__ import annotations

import sys
from pathlib import Path

#: Looks at what it is given.
PEER = """
import json, sys
import numpy
safe, script, images, result, n_e, dt, repeats, *batches = sys.argv[1:]
assert safe == "-P" and script.endswith("bindsnet_peer.py"), sys.argv
assert numpy.load(images).shape[1:] == (28, 28) and (n_e, dt) == ("400", "0.5")
rows = [
    {"batch": int(b), "cpu_ms": [1.0 + abs(int(b) - 32)] * int(repeats), "wall_ms": [9.0], "spikes": 7.4}
    for b in batches
]
open(result, "w").write(json.dumps({"versions": "BindsNET 9.9", "rows": rows}))
"""


def write_interpreter(folder: Path, text: str = PEER) -> Path:
    """Write a program that runs a text whatever script it is given."""
    path = folder / "peer"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path
