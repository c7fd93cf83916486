"""Voltages, conductances, thresholds and traces in two's complement fixed point, as a chip has them: the numbers.

A variable is a code of `bits` bits and stands for code / 2^fraction: mV for voltages and thresholds, without a unit for
conductances and traces. A constant of a step is multiplier * 2^-shift with a multiplier of 16 bits. What the neurons do
with them stands in `fixed_step`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from snstdp_cli.config import Experiment
from snstdp_cli.errors import ConfigError
from snstdp_cli.network.integration import Excited, kept_share, mean_share

#: Bits of a multiplier.
MULTIPLIER_BITS = 16
_ONE = 2**MULTIPLIER_BITS
_VOLT_PER_MV = 0.001


@dataclass(frozen=True)
class Share:
    """A constant of the step: multiplier * 2^-shift."""

    multiplier: int
    shift: int

    @property
    def value(self) -> float:
        """The number that it stands for."""
        return math.ldexp(self.multiplier, -self.shift)


def make_share(value: float) -> Share:
    """Return the constant nearest to a number that is not negative.

    Examples
    --------
    >>> make_share(0.5), make_share(0.005)
    (Share(multiplier=32768, shift=16), Share(multiplier=41943, shift=23))
    """
    mantissa, exponent = math.frexp(value)
    multiplier, shift = math.floor(mantissa * _ONE + 0.5), MULTIPLIER_BITS - exponent
    return Share(_ONE // 2, shift - 1) if multiplier == _ONE else Share(multiplier, shift)


@dataclass(frozen=True)
class StateFormat:
    """The fixed-point format of the state.

    Attributes
    ----------
    bits
        Of a code.
    fraction
        Of these, digits after the point.
    """

    bits: int
    fraction: int

    @property
    def least(self) -> int:
        """The least code."""
        return -(1 << (self.bits - 1))

    @property
    def most(self) -> int:
        """The greatest code."""
        return (1 << (self.bits - 1)) - 1

    def code(self, value: float) -> int:
        """Return the code nearest to a value (of a voltage in mV)."""
        return min(max(math.floor(math.ldexp(value, self.fraction) + 0.5), self.least), self.most)

    def stored(self, value: float) -> float:
        """Return the value that is stored for a value (of a voltage in mV)."""
        return math.ldexp(self.code(value), -self.fraction)

    def stored_volts(self, value_mv: float) -> float:
        """Return what an engine holds for a voltage, in volts."""
        return self.code(value_mv) * self._volt_per_code

    @property
    def _volt_per_code(self) -> float:
        return math.ldexp(_VOLT_PER_MV, -self.fraction)

    def numbers(self) -> dict[str, float]:
        """Return the numbers in the statements below."""
        scale = 2.0**self.fraction
        return {
            "state_codes": scale,
            "state_step": 1 / scale,
            "state_least": self.least / scale,
            "state_most": self.most / scale,
            "code_least": float(self.least),
            "code_most": float(self.most),
            "volt_codes": scale / _VOLT_PER_MV,
            "code_volt": self._volt_per_code,
        }

    @property
    def half_code_mv(self) -> float:
        """Half a step of a voltage: codes differ if their voltages differ by more, whatever their last digits."""
        return math.ldexp(0.5, -self.fraction)


def state_format(experiment: Experiment) -> StateFormat | None:
    """Return the format of the state, or None for full precision."""
    state = experiment.precision.state
    return None if state.bits is None else StateFormat(state.bits, state.fraction_bits)


@dataclass(frozen=True)
class StepShares:
    """The constants of a neuron's step.

    Attributes
    ----------
    membrane
        dt / tau.
    y
        dt / 8 tau in 16 digits after the point.
    keep_ge, keep_gi
        What is left of a conductance after a step.
    mean_ge, mean_gi
        Its mean over the step in units of its value at the start.
    """

    membrane: Share
    y: Share
    keep_ge: Share
    mean_ge: Share
    keep_gi: Share | None = None
    mean_gi: Share | None = None


def step_shares(cell: Excited, dt_ms: float, integration: str) -> StepShares:
    """Return the constants of a step.

    Raises
    ------
    ConfigError
        If forward Euler would turn the sign of a conductance.
    """
    taus = [cell.tau_ge_ms, *([cell.tau_gi_ms] if hasattr(cell, "tau_gi_ms") else [])]
    if integration == "euler" and dt_ms > min(taus):
        raise ConfigError(
            f"precision.state: found dt {dt_ms:g} with network.integration: euler; expected at most {min(taus):g} ms, "
            "so that no conductance changes its sign, or network.integration: exponential_euler"
        )
    shares = [make_share(share(dt_ms, tau, integration)) for tau in taus for share in (kept_share, mean_share)]
    step = dt_ms / cell.tau_ms
    return StepShares(make_share(step), make_share(step / 8 * _ONE), *shares)


def state_warnings(experiment: Experiment) -> list[str]:
    """Return a sentence for each motion of a threshold that rounding swallows while a network learns."""
    form, network = state_format(experiment), experiment.network
    if form is None:
        return []
    step, sentences = f"2^-{form.fraction} mV, a step of the state", []
    keep_theta = make_share(math.exp(-experiment.dt / network.theta_tau_ms))
    theta = form.code(network.theta_init_mv)
    if theta and math.floor(theta * keep_theta.value + 0.5) == theta:
        sentences.append(
            f"precision.state: thresholds do not decay: with network.theta_tau_ms = {network.theta_tau_ms:g} one of "
            f"{network.theta_init_mv:g} mV loses less than half of {step}, in a time step"
        )
    if experiment.theta_step_mv and not form.code(experiment.theta_step_mv):
        digits = math.ceil(-math.log2(2 * experiment.theta_step_mv))
        sentences.append(
            f"precision.state: thresholds never rise: network.theta_step_mv = {experiment.theta_step_mv:g} is less "
            f"than half of {step}; set precision.state.fraction to at least {digits}"
        )
    return sentences
