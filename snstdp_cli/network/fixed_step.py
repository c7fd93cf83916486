"""One time step of neurons whose state is in fixed point (`fixed_point`), as statements.

The engines hold the value of a code (voltages in volts, as everywhere) and work with the code; every product and every
sum below is a whole number under 2^53 times a power of two. A double holds it exactly, so that no order of operations
matters and whole numbers give the same bits.

* A product is rounded to the nearest code, a tie up (floor(x + 1/2)); what is left of a conductance or a trace is
  rounded towards 0, so that it ends at 0.
* What arrives at a neuron in a step is summed in full; variables saturate once, when the next step begins.
* With `exponential_euler`, g = max(1 + ge + gi, 0) in means over the step and y = min(g dt / 8 tau, 1), the factor
  phi = (1 - e^-8y) / 8y of the step (`integration`) is worked out without a division, in 16 bits after the point:
  p = 1 - y (1/2 - y/6), e1 = 1 - y p, phi = p (1 + e1) (1 + e1^2) (1 + e1^4) / 8. `euler` has phi = 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from snstdp_cli.config import Experiment
from snstdp_cli.network.fixed_point import MULTIPLIER_BITS, Share, state_format, step_shares
from snstdp_cli.network.integration import COOL_DOWN, Excited, Inhibited, keep

if TYPE_CHECKING:
    from snstdp_cli.brian_import import Function

_ONE = 2**MULTIPLIER_BITS
#: One sixth in 16 bits after the point.
_SIXTH = 10923


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
    f"p = {_ONE} - round_down(y * ({_ONE // 2} - round_down(y * {_SIXTH} * {1 / _ONE!r} + 0.5)) * {1 / _ONE!r} + 0.5)",
    f"e1 = {_ONE} - round_down(y * p * {1 / _ONE!r} + 0.5)",
    f"e2 = round_down(e1 * e1 * {1 / _ONE!r} + 0.5)",
    f"e4 = round_down(e2 * e2 * {1 / _ONE!r} + 0.5)",
    f"phi = round_down(p * ({_ONE} + e1) * {0.5 / _ONE!r} + 0.5)",
    f"phi = round_down(phi * ({_ONE} + e2) * {0.5 / _ONE!r} + 0.5)",
    f"phi = round_down(phi * ({_ONE} + e4) * {0.5 / _ONE!r} + 0.5)",
)


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
