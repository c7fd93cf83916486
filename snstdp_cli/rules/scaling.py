"""How a chip works out the scaling of a self-normalizing rule: without a divider, and in few bits.

* `shift`: the result of the division is the power of two 2^e nearest to it, 0.75 * 2^e <= |s| < 1.5 * 2^e, which a chip
  finds by the leading one of the divisor; e is from -20 to 11.
* `table`: an entry for each value of the leading bits of L_0, `n` having at most `table_bits` more than the bits that
  are dropped; it holds the exact result for the middle of its interval.
* `bits`: the result is stored in the range of the weights, to the nearest, and saturates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from snstdp_cli.rules.grids import WeightGrid

_LEAST_POWER = -20
#: By binary search: each step may multiply by 2 to the power of this.
_DOUBLINGS = (16, 8, 4, 2, 1)


@dataclass(frozen=True)
class UpdateTable:
    """All that the update of a self-normalizing rule needs: for an implementation that looks it up.

    Attributes
    ----------
    window
        The largest age in steps, since its last spike arrived, at which a synapse is active.
    rate
        Share of the way to `s_max` or `s_min` that a weight goes.
    lagged
        Whether `s_max` and `s_min` are those of the neuron's previous spike.
    usable
        For each `L_0` from 0 to n, whether there are values; without them nothing changes.
    s_max, s_min
        For each `L_0`; 0 where there are none.
    """

    window: int
    rate: float
    lagged: bool
    usable: tuple[bool, ...]
    s_max: tuple[float, ...]
    s_min: tuple[float, ...]


@dataclass(frozen=True)
class Scaling:
    """Limited precision of `s_max` and `s_min`.

    Attributes
    ----------
    divide
        `exact`, `shift` or `table`.
    table_bits
        A table has 2 to the power of this many entries.
    grid
        The values that can be stored, or None for full precision.
    """

    divide: str = "exact"
    table_bits: int = 5
    grid: WeightGrid | None = None

    def interval_of(self, n: int) -> int:
        """Return how many neighbouring values of `L_0` from 0 to n share an entry of the table."""
        if self.divide != "table":
            return 1
        return int(2 ** max(0, math.ceil(math.log2(n + 1)) - self.table_bits))

    def entry_statement(self, name: str, n: int, first: str, last: str) -> str:
        """Return the statement that sets a count to the middle of its interval, within first and last; or ''."""
        interval = self.interval_of(n)
        if interval == 1:
            return ""
        return f"{name} = clip(floor({name} / {interval}.0) * {interval}.0 + {interval // 2}.0, {first}, {last})"

    def limited(self, value: float) -> float:
        """Return what is stored of an exact result that is known beforehand."""
        if self.divide == "shift" and value:
            exponent = _LEAST_POWER
            for k in _DOUBLINGS:
                exponent += k * (abs(value) >= 0.75 * 2.0 ** (exponent + k))
            value = math.copysign(2.0**exponent, value)
        if self.grid is not None:
            value = self.grid.low + self.grid.step * min(
                max(math.floor((value - self.grid.low) / self.grid.step + 0.5), 0), self.grid.top
            )
        return value

    def result_statements(self, name: str) -> list[str]:
        """Return the statements that make of an exact result what is stored; each of its names is one of arrays."""
        lines = []
        if self.divide == "shift":
            size, power = f"{name}_size", f"{name}_power"
            lines += [f"{size} = abs({name})", f"{power} = {2.0**_LEAST_POWER!r} + 0 * {size}"]
            lines += [
                f"{power} = {power} * (1 + {2.0**k - 1!r} * int({size} >= {0.75 * 2**k!r} * {power}))"
                for k in _DOUBLINGS
            ]
            lines.append(f"{name} = {power} * (int({name} > 0) - int({name} < 0))")
        if self.grid is not None:
            g = self.grid
            code = f"floor(clip(({name} - {g.low!r}) * {1 / g.step!r} + 0.5, 0, {g.top}.0))"
            lines.append(f"{name} = {g.low!r} + {g.step!r} * {code}")
        return lines
