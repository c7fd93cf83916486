"""One time step of the neurons, as statements made from their constants.

Over one step the conductances decay exactly and enter the voltage by their mean over the step, so that the charge of a
spike does not depend on dt. For constant conductances the voltage equation is linear, and `exponential_euler` solves
it: with g = 1 + ge + gi and x = g dt / tau

    v <- v + dt/tau * phi(x) * ((v_rest - v) + ge (E_exc - v) + gi (E_inh - v)),   phi(x) = (1 - e^-x) / x

phi is evaluated as a rational function of x / 8 and three doublings, phi(2x) = phi(x) (1 + e^-x) / 2: no division by
zero at g = 0 (with signed weights g may be zero or negative), e^-x between 0 and 1 for every g > 0, so that no
inhibition can make it oscillate, a relative error of e^-x below 1e-9 for x < 0.5, and, unlike the library's exp, the
same bits from NumPy, Cython and C++. `euler` is forward Euler, unstable for g dt / tau > 2. Inhibitory neurons receive
one synapse; forward Euler of the voltage is enough for them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Protocol

#: Conductances and traces below this are 0; the smallest that matters is about 1e-3.
NEGLIGIBLE = 1e-30

#: Steps left of the refractory time, and whether a neuron is free of it.
COOL_DOWN = ("cooldown = (cooldown - 1) * int(cooldown > 0)", "free = int(cooldown == 0)")
# e^-8y = (1 / (1 + y p))^8 with p = (e^y - 1) / y to fifth order.
_PHI = (
    f"p = 1 + y * (0.5 + y * ({1 / 6!r} + y * ({1 / 24!r} + y * ({1 / 120!r} + y * {1 / 720!r}))))",
    "e1 = 1 / (1 + y * p)",
    "e2 = e1 * e1",
    "e4 = e2 * e2",
    "phi = p * e1 * (0.5 + 0.5 * e1) * (0.5 + 0.5 * e2) * (0.5 + 0.5 * e4)",
)


class Excited(Protocol):
    """The time constants of a neuron with an excitatory conductance, ms."""

    @property
    def tau_ms(self) -> float: ...
    @property
    def tau_ge_ms(self) -> float: ...


class Inhibited(Excited, Protocol):
    """The time constants of a neuron with both conductances, ms."""

    @property
    def tau_gi_ms(self) -> float: ...


def kept_share(dt_ms: float, tau_ms: float, integration: str) -> float:
    """Return which share of a conductance is left after one step."""
    return 1 - dt_ms / tau_ms if integration == "euler" else math.exp(-dt_ms / tau_ms)


def mean_share(dt_ms: float, tau_ms: float, integration: str) -> float:
    """Return the conductance's mean over the step in units of its value at the start; Euler takes that value."""
    if integration == "euler":
        return 1.0
    return (1 - kept_share(dt_ms, tau_ms, integration)) / dt_ms * tau_ms


def decay(name: str, keep: float | str) -> str:
    """Return the decay of a variable in one step by a share or a constant of that name, to 0 below `NEGLIGIBLE`.

    Without the cut it would come to rest at the smallest denormal number, which processors multiply a hundred times
    more slowly than others.
    """
    return f"{name} = {name} * {keep} * int(abs({name}) > {NEGLIGIBLE!r})"


def keep(name: str) -> str:
    """Return the name of the constant that says what is left of a variable after one step."""
    return f"keep_{name}"


def excitatory_step(
    cell: Inhibited,
    current: str,
    dt_ms: float,
    integration: str,
    decays: Sequence[str],
) -> str:
    """Return the statements that advance the excitatory neurons by one step.

    Parameters
    ----------
    cell
        Their time constants.
    current
        The membrane current of the equations, in `ge` and `gi`.
    integration
        `exponential_euler` or `euler`.
    decays
        The threshold if it moves, and traces; what is left of each after a step is the constant `keep_<name>`.
    """
    step = dt_ms / cell.tau_ms
    lines = list(COOL_DOWN)
    if integration == "euler":
        lines.append(f"v = v + free * {step!r} * ({current})")
    else:
        lines += [
            f"mean_ge = ge * {mean_share(dt_ms, cell.tau_ge_ms, integration)!r}",
            f"mean_gi = gi * {mean_share(dt_ms, cell.tau_gi_ms, integration)!r}",
            f"y = (1 + mean_ge + mean_gi) * {step / 8!r}",
            *_PHI,
            f"slope = {_with_means(current)}",
            f"v = v + free * {step!r} * phi * slope",
        ]
    lines.append(decay("ge", kept_share(dt_ms, cell.tau_ge_ms, integration)))
    lines.append(decay("gi", kept_share(dt_ms, cell.tau_gi_ms, integration)))
    # A threshold is far from 0.
    lines += [f"theta = theta * {keep(name)}" if name == "theta" else decay(name, keep(name)) for name in decays]
    return "\n".join(lines)


def inhibitory_step(cell: Excited, current: str, dt_ms: float, integration: str) -> str:
    """Return the statements that advance the inhibitory neurons by one step."""
    return "\n".join(
        [
            *COOL_DOWN,
            f"mean_ge = ge * {mean_share(dt_ms, cell.tau_ge_ms, integration)!r}",
            f"v = v + free * {dt_ms / cell.tau_ms!r} * ({_with_means(current)})",
            decay("ge", kept_share(dt_ms, cell.tau_ge_ms, integration)),
        ]
    )


def _with_means(current: str) -> str:
    """Put the conductances' means over the step in the place of their values."""
    return re.sub(r"\bg([ei])\b", r"mean_g\1", current)
