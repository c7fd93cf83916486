"""The neurons' step once more in whole numbers of Python, for the reference network with a state in fixed point.

Nothing of the package's fixed point is used. Voltages are in mV and conductances plain, as everywhere in the reference:
floating-point numbers that hold a code / 2^fraction exactly.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Constant:
    """A whole number of 16 bits over a power of two."""

    number: int
    shift: int

    def times(self, x: int) -> int:
        """Return the nearest whole number to a product, a tie up."""
        return product(x, self.number, self.shift)


def product(a: int, b: int, digits: int) -> int:
    """Return a * b without so many digits, to the nearest, a tie up."""
    return a * b << -digits if digits <= 0 else (a * b + (1 << (digits - 1))) >> digits


@functools.cache
def constant(value: float) -> Constant:
    """Return the nearest number of that kind."""
    shift = 0
    while 0 < value * 2.0**shift < 2**15:
        shift += 1
    return Constant(math.floor(value * 2.0**shift + 0.5), shift)


@dataclass(frozen=True)
class FixedPoint:
    """Numbers of so many bits, of which `fraction` are after the point."""

    bits: int
    fraction: int
    dt: float
    euler: bool

    def near(self, values: Floats | float) -> Floats:
        """Return the nearest numbers; nothing saturates."""
        return np.floor(np.asarray(values) * 2.0**self.fraction + 0.5) / 2**self.fraction

    def threshold(self, theta: Floats, keep: float) -> Floats:
        """Return thresholds of which so much is left."""
        kept = [constant(keep).times(self._saturated(x)) for x in theta]
        return np.array(kept, dtype=float) / 2**self.fraction

    def trace(self, values: Floats, keep: float) -> Floats:
        """Return conductances or traces of which so much is left."""
        return np.array([_left(self._code(x), constant(keep)) for x in values], dtype=float) / 2**self.fraction

    def advance(self, cell: Mapping[str, float], v: Floats, ge: Floats, gi: Floats, free: NDArray[np.bool_]) -> Floats:
        """Return voltages and conductances after a step, [3, neurons]."""
        steps = [self._step(cell, *state) for state in zip(v, ge, gi, free, strict=True)]
        return np.array(steps, dtype=float).T / 2**self.fraction

    def _step(
        self, cell: Mapping[str, float], v_mv: float, ge_now: float, gi_now: float, free: bool
    ) -> tuple[int, int, int]:
        inhibited = "tau_gi_ms" in cell
        v = self._code(v_mv)
        conductances = self._saturated(ge_now), self._saturated(gi_now)
        taus = [cell["tau_ge_ms"], cell.get("tau_gi_ms", 1.0)]
        keeps = [1 - self.dt / tau if self.euler else math.exp(-self.dt / tau) for tau in taus]
        means = [
            constant(1.0 if self.euler else (1 - keep) * tau / self.dt).times(g)
            for g, keep, tau in zip(conductances, keeps, taus, strict=True)
        ]
        ends = ("v_rest_mv", "E_exc_mv", "E_inh_mv")
        rest, e_exc, e_inh = (int(cell.get(name, 0)) << self.fraction for name in ends)
        current = ((rest - v) << self.fraction) + means[0] * (e_exc - v) + means[1] * (e_inh - v)
        rate = constant(self.dt / cell["tau_ms"])
        if inhibited and not self.euler:
            rate = Constant(product(self._phi((1 << self.fraction) + sum(means), cell), rate.number, 16), rate.shift)
        if free:
            v = self._cut(v + rate.times(product(current, 1, self.fraction)))
        left = [_left(g, constant(keep)) for g, keep in zip(conductances, keeps, strict=True)]
        return self._cut(v), left[0], left[1]

    def _phi(self, g: int, cell: Mapping[str, float]) -> int:
        """Return (1 - e^-x) / x in 16 digits after the point, by three doublings from x / 8."""
        eighth = constant(self.dt / cell["tau_ms"] / 8 * 2**16)
        y = min(max(product(g, eighth.number, eighth.shift + self.fraction), 0), 2**16)
        phi = 2**16 - product(y, 2**15 - product(y, 10923, 16), 16)
        e = 2**16 - product(y, phi, 16)
        for _ in range(3):
            phi, e = product(phi, 2**16 + e, 17), product(e, e, 16)
        return phi

    def _code(self, value: float) -> int:
        return math.floor(float(value) * 2.0**self.fraction + 0.5)

    def _cut(self, code: int) -> int:
        return min(max(code, -(2 ** (self.bits - 1))), 2 ** (self.bits - 1) - 1)

    def _saturated(self, value: float) -> int:
        return self._cut(self._code(value))


def _left(code: int, keep: Constant) -> int:
    """Round towards 0."""
    size = abs(code) * keep.number >> keep.shift
    return size if code > 0 else -size
