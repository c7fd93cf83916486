"""A network in whole numbers: what its codes stand for, and why a network has none."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from snstdp_cli.config import Experiment
from snstdp_cli.errors import ConfigError
from snstdp_cli.network.fixed_point import StateFormat, state_format
from snstdp_cli.rules import UpdateTable, WeightGrid

#: Digits after the point that a code may have, and that may be cut off when a weight is stored.
_MOST_DIGITS, _MOST_CUT = 30, 24


@dataclass(frozen=True)
class IntegerFormat:
    """Whole numbers that stand for code / 2^fraction.

    Attributes
    ----------
    bits
        Of a code.
    fraction
        Digits after the point.
    signed
        Two's complement, or unsigned.
    """

    bits: int
    fraction: int
    signed: bool

    def code(self, value: float) -> int:
        """Return the code of a value that has one."""
        return round(math.ldexp(value, self.fraction))


@dataclass(frozen=True)
class UpdateFormat:
    """The update of a self-normalizing rule in whole numbers.

    Attributes
    ----------
    table
        What it looks up.
    target
        Format of `s_max` and `s_min`.
    eta_shift
        The learning rate is 2 to the power of minus this.
    """

    table: UpdateTable
    target: IntegerFormat
    eta_shift: int


def weight_format(grid: WeightGrid) -> IntegerFormat:
    """Return how stored weights are whole numbers.

    Raises
    ------
    ConfigError
        If steps are no power of two, or codes neither unsigned nor two's complement.
    """
    mantissa, exponent = math.frexp(grid.step)
    fraction, lowest = 1 - exponent, grid.low / grid.step
    if mantissa != 0.5 or not 0 <= fraction <= _MOST_DIGITS or lowest not in (0, -(2 ** (grid.bits - 1))):
        raise ConfigError(
            f"precision.weights.range: found {grid.low:g} to {grid.high:g} in {grid.bits} bits, which no unsigned or "
            "two's complement numbers over a power of two are; expected auto"
        )
    return IntegerFormat(grid.bits, fraction, lowest < 0)


def formats_of(experiment: Experiment, n_input: int) -> tuple[IntegerFormat, StateFormat]:
    """Return the formats of weights and of the state.

    Raises
    ------
    ConfigError
        If one of both is in full precision, or weights are no whole numbers.
    """
    grid, state = experiment.weight_grid(n_input), state_format(experiment)
    if grid is None or state is None:
        key = "precision.weights.bits" if grid is None else "precision.state.bits"
        raise ConfigError(
            f"{key}: found null, but only a network of few bits can be exported in whole numbers; expected, for "
            f"example, --set precision.weights.bits=8 --set precision.state.bits=16"
            f"{'' if experiment.arithmetic == 'double' else ' --set arithmetic=double'}"
        )
    return weight_format(grid), state


def update_format(experiment: Experiment, n_input: int, weight: IntegerFormat) -> UpdateFormat | str:
    """Return the rule's update in whole numbers, or a sentence that says why it is none."""
    table = experiment.update_table(n_input)
    if table is None:
        return (
            f"the rule {experiment.rule.name} does not learn by s_max and s_min that follow from L_0, with a constant "
            "rate"
        )
    mantissa, exponent = math.frexp(table.rate)
    shift = 1 - exponent
    if mantissa != 0.5 or shift < 0:
        return f"the learning rate {table.rate:g} is no power of two; set precision.scaling.eta_shift, such as 7"
    digits = _digits([*table.s_max, *table.s_min])
    if digits > _MOST_DIGITS:
        return "s_max and s_min have too many digits; set precision.scaling.bits, such as 8, or divide: shift"
    if max(digits, weight.fraction) + shift - weight.fraction > _MOST_CUT:
        return f"an update has over {_MOST_CUT} digits more than a weight; lower precision.scaling.eta_shift or bits"
    codes = [round(math.ldexp(value, digits)) for value in (*table.s_max, *table.s_min)]
    bits = 1 + max((code if code >= 0 else -code - 1).bit_length() for code in codes)
    return UpdateFormat(table, IntegerFormat(bits, digits, signed=True), shift)


def _digits(values: Iterable[float]) -> int:
    """Return how many digits after the point these numbers need."""
    return max(value.as_integer_ratio()[1].bit_length() - 1 for value in values)
