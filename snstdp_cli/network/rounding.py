"""Stored weights: whatever a rule's statements make of a weight is rounded to the grid after them.

The dither of stochastic rounding is a hash, as the input spikes are (`randomness`), of the presentation's key (seed,
purpose, example, attempt), the tick and the pathway, and the synapse. So every engine rounds alike, and neither the
chunk nor a resumed run matters. The start of a training has a key of its own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.network.neurons import SynapseModel
from snstdp_cli.network.numbers import grid_numbers
from snstdp_cli.network.randomness import draw_dither, draw_key
from snstdp_cli.rules.grids import DITHERS, WeightGrid

#: An event's number is tick * PATHWAYS + pathway; a rule with more pathways would only use a number twice.
PATHWAYS = 16
_WRITES_WEIGHT = re.compile(r"(?:^|;)\s*w\s*(?:[-+*%]|//?|\*\*)?=(?!=)", re.MULTILINE)
_STORE = "w = grid_low + grid_step * floor(clip((w - grid_low) * grid_codes + {dither}, 0, grid_top))"
_BY_CHANCE = f"draw_dither(show_key_pre, (t_in_timesteps - show_step_pre) * {PATHWAYS} + {{pathway}}, i, j)"

#: What the inputs know of a presentation where weights are rounded by chance, and how it is set when one begins.
INPUT_VARIABLES = "show_key : 1\nshow_step : integer\n"
REMEMBER_SHOW = "show_key_post = key_pre\nshow_step_post = t_in_timesteps\n"


def store_on_grid(model: SynapseModel, grid: WeightGrid) -> SynapseModel:
    """Return the synapses with weights that are rounded after every pathway that changes them."""
    numbers = pathway_numbers(model)

    def stored(name: str, statements: str) -> str:
        if name not in numbers:
            return statements
        dither = _BY_CHANCE.format(pathway=numbers[name]) if uses_chance(grid) else "grid_dither"
        return f"{statements.rstrip()}\n{_STORE.format(dither=dither)}"

    return replace(
        model,
        on_pre={name: stored(name, statements) for name, statements in model.on_pre.items()},
        on_post={name: stored(name, statements) for name, statements in model.on_post.items()},
        constants={**model.constants, **grid_numbers(grid)},
    )


def pathway_numbers(model: SynapseModel) -> dict[str, int]:
    """Return the numbers, in a dither's hash, of the pathways that change a weight."""
    both = {**model.on_pre, **model.on_post}
    writing = [name for name, statements in both.items() if _WRITES_WEIGHT.search(statements)]
    # 0 is the arrival, 1 what rescales, 2 and up are the rule's pathways of a postsynaptic spike.
    numbers = {name: 2 + k for k, name in enumerate(name for name in writing if name in model.on_post)}
    return {name: numbers.get(name, int(name == "rescale")) for name in writing}


def uses_chance(grid: WeightGrid | None) -> bool:
    """Tell whether weights are rounded by chance."""
    return grid is not None and grid.rounding not in DITHERS


def round_start(grid: WeightGrid, weights: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return drawn or loaded weights [n_input, n_e] as they are stored."""
    dither: Any = DITHERS.get(grid.rounding)
    if dither is None:
        inputs, neurons = np.indices(weights.shape)
        key = draw_key(seed, 0, 0, 0)
        dither = draw_dither(key, 0, inputs.ravel(), neurons.ravel()).reshape(weights.shape)
    return np.asarray(grid.weights(grid.codes(weights, dither)), dtype=np.float64)
