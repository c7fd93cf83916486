"""The network once more in single precision: plain NumPy with numbers of 32 bits, an operation after the other.

Nothing here reads the statements of a rule or of the network, nor what rounds them. The equations are written down in
the order in which the documentation has them, in volts and steps, so that every bit can be compared: with pooled
inhibition, exponential Euler, a simulated rest, and the package's own rules with their usual formulas.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference import EXC_CELL, INH_CELL, input_spikes

from snstdp_cli.config import Experiment
from snstdp_cli.engines import Stream
from snstdp_cli.engines.base import NEVER
from snstdp_cli.network.randomness import draw_key
from snstdp_cli.network.wiring import Wiring

F = np.float32
Singles = NDArray[np.float32]
ONE, HALF = F(1), F(0.5)


class SelfNormalizing:
    """SMAX and SMIN; `weights` are [n_input, n_e]."""

    def __init__(self, experiment: Experiment, weights: Singles) -> None:
        p, (n, n_e) = experiment.rule.parameters, weights.shape
        share, l_tar = p.get("positive_share", 1.0), p["a_tar"] * n
        self.weights, self.n, self.eta, self.share = weights, F(n), F(p["eta"]), share
        self.high, self.low = F(share * l_tar), F(-(1 - share) * l_tar)
        self.lagged = p["scaling"] == "lagged"
        self.window = math.floor(p["tau_pre_ms"] * math.log(1 / p["x_tar"]) / experiment.dt + 1e-9)
        self.s_max, self.s_min, self.scaled = (np.zeros(n_e, dtype=F) for _ in range(3))

    def arrive(self, i: int, j: int) -> None:
        """Nothing happens: that is the point of these rules."""

    def fire(self, j: int, ages: NDArray[np.int64]) -> None:
        active = ages <= self.window
        l_0, usable = F(active.sum()), 1 <= active.sum() <= self.n - (self.share < 1)
        s_max, s_min = self.s_max[j], self.s_min[j]
        if usable:
            now = self.high / l_0, self.low / (self.n - l_0) if self.share < 1 else F(0)
            self.s_max[j], self.s_min[j] = now
            if not self.lagged:
                s_max, s_min = now
        if self.scaled[j] if self.lagged else usable:
            w = self.weights[:, j]
            self.weights[:, j] = w + self.eta * (np.where(active, s_max, s_min) - w)
        self.scaled[j] = max(self.scaled[j], F(usable))

    def decay(self) -> None: ...
    def begin_presentation(self) -> None: ...

    def state(self) -> dict[str, Singles]:
        return {"exc.s_max": self.s_max, "exc.s_min": self.s_min, "exc.scaled": self.scaled} if self.lagged else {}


class Triplet:
    """Diehl & Cook's triplet rule; an age of 300 time constants is as old as a spike can be."""

    def __init__(self, experiment: Experiment, weights: Singles) -> None:
        p, dt, n_e = experiment.rule.parameters, experiment.dt, weights.shape[1]
        self.weights, self.total = weights, F(p["a_tar"] * len(weights))
        self.nu_pre, self.nu_post, self.w_max = F(p["nu_pre"]), F(p["nu_post"]), F(p["w_max"])
        self.rate, self.oldest = F(dt / p["tau_pre_ms"]), math.ceil(300 * p["tau_pre_ms"] / dt)
        self.keep = [F(math.exp(-dt / p[tau])) for tau in ("tau_post1_ms", "tau_post2_ms")]
        self.post = [np.zeros(n_e, dtype=F), np.zeros(n_e, dtype=F)]

    def arrive(self, i: int, j: int) -> None:
        self.weights[i, j] = np.clip(self.weights[i, j] - self.nu_pre * self.post[0][j], 0, self.w_max)

    def fire(self, j: int, ages: NDArray[np.int64]) -> None:
        pre = F(np.exp(np.float64(F(-np.minimum(ages, self.oldest)) * self.rate)))
        w = self.weights[:, j]
        self.weights[:, j] = np.clip(w + self.nu_post * pre * self.post[1][j], 0, self.w_max)
        self.post[0][j] = self.post[1][j] = 1

    def decay(self) -> None:
        for post, keep in zip(self.post, self.keep, strict=True):
            post *= keep
            post[np.abs(post) <= F(1e-30)] = 0

    def begin_presentation(self) -> None:
        sums = np.zeros(self.weights.shape[1], dtype=F)
        for row in self.weights:
            sums += row
        self.weights *= self.total * (ONE / (sums + F(1) * (sums == 0)))

    def state(self) -> dict[str, Singles]:
        return {"exc.post1": self.post[0], "exc.post2": self.post[1]}


@dataclass
class SingleRun:
    """Every excitatory spike as (step, neuron), and the state at the end, named as an engine's."""

    spikes: list[tuple[int, int]]
    state: dict[str, NDArray[Any]]


def volts(mv: float) -> np.float32:
    """Return a voltage of so many mV."""
    return F(mv * 0.001)


def phi(x: Singles) -> Singles:
    """Return (1 - e^-x) / x by a rational function of x / 8 and three doublings."""
    y = x
    p = ONE + y * (HALF + y * (F(1 / 6) + y * (F(1 / 24) + y * (F(1 / 120) + y * F(1 / 720)))))
    e1 = ONE / (ONE + y * p)
    e2 = e1 * e1
    e4 = e2 * e2
    return p * e1 * (HALF + HALF * e1) * (HALF + HALF * e2) * (HALF + HALF * e4)


class Cells:
    """Neurons with an excitatory conductance, and an inhibitory one if they have that."""

    def __init__(self, cell: Any, n_e: int, dt: float) -> None:
        self.cell, self.step, self.dt = cell, F(dt / cell["tau_ms"]), dt
        self.v = np.full(n_e, volts(cell["v_start_mv"]))
        self.ge, self.gi, self.cooldown = (np.zeros(n_e, dtype=F) for _ in range(3))

    def advance(self) -> NDArray[np.bool_]:
        """Do a step of time; return who is free to spike."""
        self.cooldown = (self.cooldown - ONE) * (self.cooldown > 0)
        free = self.cooldown == 0
        ge, keep_ge = self._conductance(self.ge, "tau_ge_ms")
        rest, e_exc = volts(self.cell["v_rest_mv"]), volts(self.cell["E_exc_mv"])
        slope, rate = (rest - self.v) + ge * (e_exc - self.v), free * self.step
        if "tau_gi_ms" in self.cell:
            gi, self.gi = self._conductance(self.gi, "tau_gi_ms")
            slope = slope + gi * (volts(self.cell["E_inh_mv"]) - self.v)
            rate = rate * phi((ONE + ge + gi) * F(self.dt / self.cell["tau_ms"] / 8))
        self.v, self.ge = self.v + rate * slope, keep_ge
        return free

    def _conductance(self, g: Singles, tau: str) -> tuple[Singles, Singles]:
        """Return its mean over the step, and what is left of it."""
        tau_ms = self.cell[tau]
        keep = math.exp(-self.dt / tau_ms)
        return g * F((1 - keep) / self.dt * tau_ms), g * F(keep) * (np.abs(g) > F(1e-30))

    def reset(self, fired: NDArray[np.bool_]) -> None:
        self.v[fired] = volts(self.cell["v_reset_mv"])
        self.cooldown[fired] = round(self.cell["refractory_ms"] / self.dt)


def simulate_single(
    experiment: Experiment, images: NDArray[np.uint8], weights: Singles, wiring: Wiring, first: int = 0
) -> SingleRun:
    """Present `images` to a learning network, in Brian 2's order."""
    dt, net, shown, n_e = experiment.dt, experiment.network, experiment.presentation, experiment.n_e
    delays = wiring.to_matrix(wiring.delay_steps)
    rule: Any = (Triplet if experiment.rule.name == "triplet" else SelfNormalizing)(experiment, weights.copy())
    exc, inh = Cells(EXC_CELL, n_e, dt), Cells(INH_CELL, n_e, dt)
    theta = np.full(n_e, net.theta_init_mv / 1000)
    # Fifteen digits, which Brian 2 keeps of a number in a statement.
    keep_theta, theta_step = float(f"{math.exp(-dt / net.theta_tau_ms):.15g}"), experiment.theta_step_mv * 0.001
    due: dict[int, list[tuple[int, int]]] = defaultdict(list)
    arrived = np.full(weights.shape, NEVER, dtype=np.int64)
    stimulus, whole = round(shown.stimulus_ms / dt), round(shown.stimulus_ms / dt) + round(shown.rest_ms / dt)
    spikes, step = [], 0
    for example, image in enumerate(images):
        attempt, settled = 0, False
        while not settled:
            chance = image / 8 * (shown.intensity + attempt) * dt / 1000
            key = int(draw_key(experiment.seed, Stream.TRAINING, first + example, attempt)[0])
            sent, count = input_spikes(key, chance, stimulus), 0
            for tick in range(whole):
                fired, fired_inh = exc.advance(), inh.advance()
                theta = theta * keep_theta
                rule.decay()
                fired &= exc.v > F(theta + EXC_CELL["v_offset_mv"] * 0.001)
                fired_inh &= inh.v > volts(INH_CELL["v_threshold_mv"])
                for i in sent[tick] if 1 <= tick <= stimulus else ():
                    for j in range(n_e):
                        due[step + delays[i, j]].append((i, j))
                count += int(fired.sum()) if 1 <= tick <= stimulus else 0
                spikes += [(step, int(j)) for j in np.flatnonzero(fired)]
                for i, j in due.pop(step, ()):
                    exc.ge[j] += rule.weights[i, j]
                    arrived[i, j] = step
                    rule.arrive(i, j)
                inh.ge[fired] += F(net.w_exc_inh)
                exc.gi[fired_inh] -= F(net.w_inh_exc)
                if fired_inh.any():
                    exc.gi += F(net.w_inh_exc) * F(fired_inh.sum())
                for j in np.flatnonzero(fired):
                    rule.fire(j, step - arrived[:, j])
                if tick == 0:
                    rule.begin_presentation()
                exc.reset(fired)
                inh.reset(fired_inh)
                theta = theta + theta_step * fired
                step += 1
            attempt += 1
            settled = count >= shown.min_spikes or shown.intensity + attempt > shown.max_intensity
    state: dict[str, NDArray[Any]] = {"exc.theta": theta, "input_exc.w": wiring.to_synapses(rule.weights)}
    for name, cells in (("exc", exc), ("inh", inh)):
        state |= {f"{name}.v": cells.v, f"{name}.ge": cells.ge, f"{name}.cooldown": cells.cooldown}
    return SingleRun(spikes, {**state, "exc.gi": exc.gi, **rule.state()})
