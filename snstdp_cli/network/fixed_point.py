"""Voltages, conductances, thresholds and traces in two's complement fixed point, as a chip has them.

A variable is a code of `bits` bits and stands for code / 2^fraction: mV for voltages and thresholds, without a unit for
conductances and traces. The engines hold the value (voltages in volts, as everywhere) and work with the code; every
product and every sum below is a whole number under 2^53 times a power of two. A double holds it exactly, so that no
order of operations matters and whole numbers give the same bits.

* A constant of the step is multiplier * 2^-shift with a multiplier of 16 bits. A product is rounded to the nearest
  code, a tie up (floor(x + 1/2)); what is left of a conductance or a trace is rounded towards 0, so that it ends at 0.
* What arrives at a neuron in a step is summed in full; variables saturate once, when the next step begins.
* With `exponential_euler`, g = max(1 + ge + gi, 0) in means over the step and y = min(g dt / 8 tau, 1), the factor
  phi = (1 - e^-8y) / 8y of the step (`integration`) is worked out without a division, in 16 bits after the point:
  p = 1 - y (1/2 - y/6), e1 = 1 - y p, phi = p (1 + e1) (1 + e1^2) (1 + e1^4) / 8. `euler` has phi = 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from snstdp_cli.config import Experiment
from snstdp_cli.errors import ConfigError
from snstdp_cli.network.integration import COOL_DOWN, Excited, Inhibited, keep, kept_share, mean_share

if TYPE_CHECKING:
    from snstdp_cli.brian_import import Function

#: Bits of a multiplier, and digits after the point of phi.
MULTIPLIER_BITS = 16
_ONE = 2**MULTIPLIER_BITS
#: One sixth in 16 bits after the point.
SIXTH = 10923
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


def fixed_point_functions(experiment: Experiment) -> dict[str, Function]:
    """Return what the statements below call, for every target; nothing in full precision.

    Brian 2's own `floor` returns an integer of 32 bits, which is too short.
    """
    if state_format(experiment) is None:
        return {}
    from snstdp_cli.brian_import import Function

    below = Function(_round_down, arg_units=[1], return_unit=1, arg_types=["float"], return_type="float")
    below.implementations.add_implementation(
        "cpp", "static inline double round_down(double x) { return std::floor(x); }"
    )
    below.implementations.add_implementation(
        "cython",
        """
        from libc.math cimport floor as _round_down

        cdef double round_down(double x):
            return _round_down(x)
        """,
    )
    return {"round_down": below}


def _round_down(values: Any) -> Any:
    return np.floor(values)


def arriving(weight: str) -> str:
    """Return a weight as it is added to a conductance: the nearest number of the state's format."""
    return f"round_down({weight} * state_codes + 0.5) * state_step"


def decayed(name: str, owner: str, share: str) -> str:
    """Return the statement by which a conductance, a trace or `theta` decays.

    Parameters
    ----------
    name
        `theta`, or another variable without a unit.
    owner
        What follows the name where the statement stands: "" or "_post".
    share
        What is left, a number or a constant.
    """
    x = f"{name}{owner}"
    if name == "theta":
        return f"{x} = round_down({_clipped_code(x)} * {share} + 0.5) * code_volt * volt"
    return f"{x} = (int({x} > 0) - int({x} < 0)) * round_down(abs({x}) * state_codes * {share}) * state_step"


def _code(name: str) -> str:
    """Return the code of a voltage."""
    return f"round_down({name} / volt * volt_codes + 0.5)"


def _clipped_code(name: str) -> str:
    return f"clip({_code(name)}, code_least, code_most)"


def _current_in_codes(current: str) -> str:
    """Return the membrane current in codes of a voltage per membrane time, from conductances' means over the step."""
    with_means = re.sub(r"\bg([ei])\b", r"mean_g\1", current)
    return re.sub(r"\b(v|v_rest|E_exc|E_inh)\b", r"\1_code", with_means)


_PHI = (
    f"p = {_ONE} - round_down(y * ({_ONE // 2} - round_down(y * {SIXTH} * {1 / _ONE!r} + 0.5)) * {1 / _ONE!r} + 0.5)",
    f"e1 = {_ONE} - round_down(y * p * {1 / _ONE!r} + 0.5)",
    f"e2 = round_down(e1 * e1 * {1 / _ONE!r} + 0.5)",
    f"e4 = round_down(e2 * e2 * {1 / _ONE!r} + 0.5)",
    f"phi = round_down(p * ({_ONE} + e1) * {0.5 / _ONE!r} + 0.5)",
    f"phi = round_down(phi * ({_ONE} + e2) * {0.5 / _ONE!r} + 0.5)",
    f"phi = round_down(phi * ({_ONE} + e4) * {0.5 / _ONE!r} + 0.5)",
)


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


def fixed_excitatory_step(cell: Inhibited, current: str, dt_ms: float, integration: str, decays: Sequence[str]) -> str:
    """Return the statements that advance excitatory neurons by one step; as `integration.excitatory_step`."""
    shares = step_shares(cell, dt_ms, integration)
    assert shares.keep_gi is not None
    assert shares.mean_gi is not None
    lines = [
        *COOL_DOWN,
        *_conductance("ge", shares.mean_ge),
        *_conductance("gi", shares.mean_gi),
        *_voltage(current, shares.membrane, None if integration == "euler" else shares.y),
        decayed("ge", "", repr(shares.keep_ge.value)),
        decayed("gi", "", repr(shares.keep_gi.value)),
        *(decayed(name, "", keep(name)) for name in decays),
    ]
    return "\n".join(lines)


def fixed_inhibitory_step(cell: Excited, current: str, dt_ms: float, integration: str) -> str:
    """Return the statements that advance inhibitory neurons by one step; forward Euler of the voltage."""
    shares = step_shares(cell, dt_ms, integration)
    lines = [
        *COOL_DOWN,
        *_conductance("ge", shares.mean_ge),
        *_voltage(current, shares.membrane, None),
        decayed("ge", "", repr(shares.keep_ge.value)),
    ]
    return "\n".join(lines)


def _conductance(name: str, mean: Share) -> list[str]:
    return [
        f"{name} = clip({name}, state_least, state_most)",
        f"mean_{name} = round_down({name} * state_codes * {mean.value!r} + 0.5) * state_step",
    ]


def _voltage(current: str, membrane: Share, y: Share | None) -> list[str]:
    """Return the step of the voltage; the product of phi and dt / tau has the bits of a multiplier."""
    constants = sorted(set(re.findall(r"\b(?:v_rest|E_exc|E_inh)\b", current)))
    lines = [f"{name}_code = {_code(name)}" for name in constants]
    lines += [f"v_code = {_code('v')}", f"slope = round_down({_current_in_codes(current)} + 0.5)"]
    rate = repr(float(membrane.multiplier))
    if y is not None:
        lines += [f"y = clip(round_down((1 + mean_ge + mean_gi) * {y.value!r} + 0.5), 0, {_ONE})", *_PHI]
        lines.append(f"rate = round_down(phi * {membrane.multiplier / _ONE!r} + 0.5)")
        rate = "rate"
    moved = f"v_code + free * round_down(slope * {rate} * {math.ldexp(1.0, -membrane.shift)!r} + 0.5)"
    return [*lines, f"v = clip({moved}, code_least, code_most) * code_volt * volt"]
