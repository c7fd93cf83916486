"""The name of a compiled program: a hash of everything that shapes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from snstdp_cli.config import Experiment, settings_of
from snstdp_cli.engines.brian import describe_preferences
from snstdp_cli.engines.compiler import compiler_flags, compiler_version, processor_features
from snstdp_cli.engines.constants import describe_numbers
from snstdp_cli.network import neurons
from snstdp_cli.network.numbers import run_time_numbers
from snstdp_cli.network.rounding import uses_chance
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity

#: What the sources of a program are made by, relative to the package.
_SOURCES = ("network/*.py", "engines/*.py", "engines/*.h")


def program_key(
    experiment: Experiment, plasticity: Plasticity | None, wiring: Wiring, compiler: str, count: bool = False
) -> str:
    """Hash everything that shapes the program: not the numbers that it reads at its start.

    Parameters
    ----------
    experiment
        Complete configuration.
    plasticity
        The rule as it was built: a rule that imports a helper is another one when the helper changes. None for a
        network in which nothing learns.
    wiring
        Sizes, and whether there are delays; the connections themselves are read by the program.
    compiler
        As `find_compiler` tells it.
    count
        Whether the program counts events.
    """
    package = Path(__file__).parent.parent
    sources = sorted(path for pattern in _SOURCES for path in package.glob(pattern))
    shaping = {
        "settings": settings_of(experiment, "program"),
        "count": count,
        "neurons": [asdict(neurons.EXCITATORY), asdict(neurons.INHIBITORY)],
        "plasticity": None if plasticity is None else _statements(plasticity),
        "numbers": describe_numbers(run_time_numbers(experiment, plasticity)),
        "n_input": wiring.n_input,
        "delays": bool(wiring.delay_steps.any()),
        "inhibition_delays": wiring.inhibition_delay_steps is not None,
        "preferences": describe_preferences(),
        "versions": [version("brian2"), np.__version__],
        "compiler": [compiler, compiler_version(compiler), compiler_flags(), processor_features()],
        "sources": [[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in sources],
    }
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:24]


def _statements(plasticity: Plasticity) -> dict[str, Any]:
    """Return what a rule says, but for the values of names; the order of statements and variables is kept."""
    names = {key: list(getattr(plasticity, key)) for key in ("neuron_variables", "traces")}
    rounds = plasticity.grid is not None and ("by chance" if uses_chance(plasticity.grid) else "rounds")
    said = {**vars(plasticity), **names, "normalize_to": plasticity.normalize_to is not None, "grid": rounds}
    # Bounds and target are compared with results; the constants, and those of the grid, are told by type.
    return {key: _plain(value) for key, value in said.items() if key not in ("bounds", "l1_target", "constants")}


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it; the order of names is kept, as statements are run in that order."""
    if isinstance(value, Mapping):
        return [[str(key), _plain(item)] for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    # The text of a float holds all its digits.
    return value if isinstance(value, str | bool | None) else [type(value).__name__, repr(value)]
