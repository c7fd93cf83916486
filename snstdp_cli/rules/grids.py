"""The weights that so many bits can hold, and how a weight between two of them is rounded.

A stored weight is a code k = 0 .. 2^bits - 1 and stands for low + step * k. All roundings are one formula, the code
floor((w - low) / step + d), cut off at both ends. The dither d is 1/2 for `nearest` (a tie goes up), 2^-25 for `floor`,
and for `stochastic` one of the 2^24 numbers (m + 1/2) / 2^24, each with the same chance: then the mean of the stored
weight is w. No d is nearer than 2^-25 to 0 or 1, so that a weight that is on the grid stays where it is, whatever the
last digit of the division.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snstdp_cli.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snstdp_cli.rules.base import Plasticity

#: A weight that hangs on usual patterns is at most this often the mean that the target norm asks for.
_PEAK = 8
DITHERS = {"nearest": 0.5, "floor": 2.0**-25}


@dataclass(frozen=True)
class WeightGrid:
    """The weights that can be stored.

    Attributes
    ----------
    bits
        Bits of a code.
    low
        Weight of code 0.
    step
        From one code to the next.
    rounding
        `nearest`, `stochastic` or `floor`.
    """

    bits: int
    low: float
    step: float
    rounding: str

    @property
    def top(self) -> int:
        """The largest code."""
        return (1 << self.bits) - 1

    @property
    def high(self) -> float:
        """The largest weight."""
        return self.low + self.step * self.top

    def codes(self, weights: NDArray[Any], dither: Any) -> NDArray[Any]:
        """Return the codes to which weights are rounded, as floating-point numbers."""
        import numpy as np

        found: NDArray[Any] = np.clip(np.floor((weights - self.low) * (1 / self.step) + dither), 0, self.top)
        return found

    def weights(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Return the weights that codes stand for."""
        found: NDArray[Any] = self.low + self.step * codes
        return found


def make_grid(
    plasticity: Plasticity | None, n_input: int, bits: int, interval: tuple[float, float] | None, rounding: str
) -> WeightGrid:
    """Return the grid of a rule's weights.

    Parameters
    ----------
    plasticity
        The rule; it is not needed if there is an interval.
    interval
        Least and greatest weight, or None for a range that suits the rule: from 0, or for a rule with weights of both
        signs from -r, to below r, the power of two at or above eight times the mean of the positive weights that the
        target norm asks for. Codes are then two's complement numbers, or unsigned ones, times a power of two.

    Raises
    ------
    ConfigError
        If a range is wanted and the rule has no target norm.
    """
    if interval is not None:
        low, high = interval
        return WeightGrid(bits, low, (high - low) / (2**bits - 1), rounding)
    if plasticity is None or plasticity.l1_target is None:
        raise ConfigError(
            "precision.weights.range: found auto, but this rule has no target norm from which a range would follow; "
            "expected the least and the greatest weight, such as [0, 1]"
        )
    least, greatest = plasticity.bounds
    # Of both signs: the rule's bounds tell how the norm is divided.
    signed = least < 0
    share = greatest / (greatest - least) if signed and math.isfinite(greatest - least) and greatest > 0 else 1.0
    reach = 2.0 ** math.ceil(math.log2(_PEAK * share * plasticity.l1_target / n_input) - 1e-9)
    low = -reach if signed else 0.0
    return WeightGrid(bits, low, (reach - low) / 2**bits, rounding)
