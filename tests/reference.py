"""The whole network once more in plain NumPy, written from its equations, for comparison.

Nothing here reads the Brian 2 statements of a rule or of the network. Voltages and thresholds are in mV, time in steps.
The tests' small experiments and the way they open an engine are at the end.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from fixed_reference import FixedPoint
from numpy.typing import NDArray

from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.engines.base import Chunk, ChunkResult, State, Stream, initial_state
from snstdp_cli.network import neurons
from snstdp_cli.network.randomness import draw_key
from snstdp_cli.network.wiring import Wiring, draw_weights, draw_wiring

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Cell = Mapping[str, float]

#: Diehl & Cook's constants, mV and ms, written down a second time.
EXC_CELL: Cell = {
    **{"v_rest_mv": -65, "v_reset_mv": -65, "v_start_mv": -105, "v_offset_mv": -72, "E_exc_mv": 0, "E_inh_mv": -100},
    **{"tau_ms": 100, "tau_ge_ms": 1, "tau_gi_ms": 2, "refractory_ms": 5},
}
INH_CELL: Cell = {
    **{"v_rest_mv": -60, "v_reset_mv": -45, "v_start_mv": -100, "v_threshold_mv": -40, "E_exc_mv": 0},
    **{"tau_ms": 10, "tau_ge_ms": 1, "refractory_ms": 2},
}


@dataclass
class SelfNormalizingNeuron:
    """SMAX and SMIN for the n weights of one neuron, which spikes with a given set of active synapses."""

    w: Floats
    eta: float
    l_tar: float
    positive_share: float
    lagged: bool
    s_max: float | None = None
    s_min: float | None = None
    #: `exact`, `shift` or `table`; bits of the table's index; bits, low and step of what is stored, if it is limited.
    divide: str = "exact"
    table_bits: int = 5
    stored: tuple[int, float, float] | None = None

    def fire(self, active: Mask) -> None:
        n, l_0 = len(self.w), int(active.sum())
        usable = l_0 >= 1 and (l_0 < n or self.positive_share == 1)
        if usable and not self.lagged:
            self._scale(l_0)
        if self.s_max is not None and (usable or self.lagged):
            self.w = np.where(
                active, self.w + self.eta * (self.s_max - self.w), self.w - self.eta * (self.w - self.s_min)
            )
        if usable and self.lagged:
            self._scale(l_0)

    def _scale(self, l_0: int) -> None:
        n = len(self.w)
        if self.divide == "table":
            shared = 1
            while shared * 2**self.table_bits < n + 1:
                shared *= 2
            if shared > 1:
                l_0 = min(max(l_0 // shared * shared + shared // 2, 1), n if self.positive_share == 1 else n - 1)
        inactive = n - l_0
        self.s_max = self._limit(self.positive_share * self.l_tar / l_0)
        self.s_min = self._limit(-(1 - self.positive_share) * self.l_tar / inactive if inactive else 0.0)

    def _limit(self, exact: float) -> float:
        if self.divide == "shift" and exact:
            powers = [2.0**k for k in range(-20, 12)]
            nearest = max(p for p in powers if p == powers[0] or 0.75 * p <= abs(exact))
            exact = math.copysign(nearest, exact)
        if self.stored is not None:
            bits, low, step = self.stored
            exact = low + step * min(max(math.floor((exact - low) / step + 0.5), 0), 2**bits - 1)
        return exact


class SelfNormalizingLayer:
    """SMAX and SMIN for all neurons of a network, with a decaying presynaptic trace."""

    def __init__(self, experiment: Experiment, weights: Floats) -> None:
        p = experiment.rule.parameters
        scaling, limits = experiment.precision.scaling, None
        if scaling.bits is not None:
            assert experiment.precision.weights.range != "auto"
            low, high = experiment.precision.weights.range
            limits = scaling.bits, low, (high - low) / (2**scaling.bits - 1)
        eta = p["eta"] if scaling.eta_shift is None else 2.0**-scaling.eta_shift
        self.neurons = [
            SelfNormalizingNeuron(
                w=weights[:, j].copy(),
                eta=eta,
                l_tar=p["a_tar"] * len(weights),
                positive_share=p.get("positive_share", 1.0),
                lagged=p["scaling"] == "lagged",
                divide=scaling.divide,
                table_bits=scaling.table_bits,
                stored=limits,
            )
            for j in range(weights.shape[1])
        ]
        self.x_pre = np.zeros_like(weights)
        self.x_tar = p["x_tar"]
        self.keep = math.exp(-experiment.dt / p["tau_pre_ms"])

    @property
    def weights(self) -> Floats:
        return np.stack([neuron.w for neuron in self.neurons], axis=1)

    @weights.setter
    def weights(self, weights: Floats) -> None:
        for j, neuron in enumerate(self.neurons):
            neuron.w = weights[:, j].copy()

    def decay(self, steps: int = 1) -> None:
        self.x_pre *= self.keep**steps

    def arrive(self, hit: Mask) -> None:
        self.x_pre[hit] = 1

    def fire(self, fired: Mask) -> None:
        for j in np.flatnonzero(fired):
            self.neurons[j].fire(self.x_pre[:, j] >= self.x_tar * (1 - 1e-9))

    def begin_presentation(self) -> None:
        """Nothing to normalize: that is the point of these rules."""


class TripletLayer:
    """Diehl & Cook's triplet rule with divisive normalization."""

    def __init__(self, experiment: Experiment, weights: Floats, fixed: FixedPoint | None = None) -> None:
        p, self.fixed = experiment.rule.parameters, fixed
        self.weights = weights.copy()
        self.total = p["a_tar"] * len(weights)
        self.nu_pre, self.nu_post, self.w_max = p["nu_pre"], p["nu_post"], p["w_max"]
        self.pre1 = np.zeros_like(weights)
        self.post1, self.post2 = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
        self.keep = [math.exp(-experiment.dt / p[tau]) for tau in ("tau_pre_ms", "tau_post1_ms", "tau_post2_ms")]

    def decay(self, steps: int = 1) -> None:
        keep_pre, *keep_post = (keep**steps for keep in self.keep)
        self.pre1 *= keep_pre
        if self.fixed is None:
            self.post1 *= keep_post[0]
            self.post2 *= keep_post[1]
        else:
            self.post1 = self.fixed.trace(self.post1, keep_post[0])
            self.post2 = self.fixed.trace(self.post2, keep_post[1])

    def arrive(self, hit: Mask) -> None:
        lower = np.clip(self.weights - self.nu_pre * self.post1, 0, self.w_max)
        self.weights = np.where(hit, lower, self.weights)
        self.pre1[hit] = 1

    def fire(self, fired: Mask) -> None:
        higher = np.clip(self.weights + self.nu_post * self.pre1 * self.post2, 0, self.w_max)
        self.weights = np.where(fired, higher, self.weights)
        self.post1[fired] = self.post2[fired] = 1

    def begin_presentation(self) -> None:
        sums = self.weights.sum(axis=0)
        self.weights = self.weights * self.total / np.where(sums == 0, 1, sums)


class StoredLayer:
    """Any of the layers above, with weights of so many bits: rounded after whatever changed them.

    Nothing of the package's rounding is used. Exact numbers: codes are whole numbers of Python.
    """

    def __init__(self, layer: Any, bits: int, low: float, step: float, rounding: str) -> None:
        self.layer, self.bits, self.low, self.step, self.rounding = layer, bits, Fraction(low), Fraction(step), rounding
        #: Key and tick of the presentation.
        self.moment = (0, 0)

    @property
    def weights(self) -> Floats:
        return self.layer.weights

    def decay(self, steps: int = 1) -> None:
        self.layer.decay(steps)

    def arrive(self, hit: Mask) -> None:
        self.layer.arrive(hit)
        self._store(0)

    def fire(self, fired: Mask) -> None:
        self.layer.fire(fired)
        self._store(2)

    def begin_presentation(self) -> None:
        self.layer.begin_presentation()
        self._store(1)

    def _store(self, pathway: int) -> None:
        stored = self.layer.weights.copy()
        for (i, j), weight in np.ndenumerate(stored):
            # As all numbers below are sums of powers of two, only a step that is none leaves a rest.
            code = (Fraction(float(weight)) - self.low) / self.step
            if abs(code - round(code)) > Fraction(1, 2**30) or not 0 <= round(code) < 2**self.bits:
                stored[i, j] = self.low + self.step * self._cut(code, pathway, i, j)
        self.layer.weights = stored

    def _cut(self, code: Fraction, pathway: int, i: int, j: int) -> int:
        match self.rounding:
            case "nearest":
                cut = math.floor(code + Fraction(1, 2))
            case "floor":
                # What is that near below a code counts as it: the last digits of a quotient decide nothing.
                cut = math.floor(code + Fraction(1, 2**25))
            case _:
                key, tick = self.moment
                cut = math.floor(code + dither_number(key, tick * 16 + pathway, i, j))
        return min(max(cut, 0), 2**self.bits - 1)


class FrozenLayer:
    """Weights that never change."""

    def __init__(self, weights: Floats) -> None:
        self.weights = weights.copy()

    def decay(self, steps: int = 1) -> None: ...
    def arrive(self, hit: Mask) -> None: ...
    def fire(self, fired: Mask) -> None: ...
    def begin_presentation(self) -> None: ...


def decay_of(dt: float, tau: float, euler: bool) -> tuple[float, float]:
    """Return which share of a conductance is left after a step, and its mean over the step."""
    if euler:
        return 1 - dt / tau, 1.0
    return math.exp(-dt / tau), tau / dt * (1 - math.exp(-dt / tau))


def membrane_step(v: Floats, ge: Floats, gi: Floats, dt: float, euler: bool, cell: Cell = EXC_CELL) -> Floats:
    """Advance the excitatory voltage (mV) by one step: the exact solution for constant conductances, or Euler."""
    rest, e_exc, e_inh, tau = cell["v_rest_mv"], cell["E_exc_mv"], cell["E_inh_mv"], cell["tau_ms"]
    if euler:
        return v + dt / tau * ((rest - v) + ge * (e_exc - v) + gi * (e_inh - v))
    ge = ge * decay_of(dt, cell["tau_ge_ms"], euler)[1]
    gi = gi * decay_of(dt, cell["tau_gi_ms"], euler)[1]
    g = 1 + ge + gi
    drive = rest + ge * e_exc + gi * e_inh
    safe = np.where(np.abs(g) < 1e-7, 1.0, g)
    exact = drive / safe + (v - drive / safe) * np.exp(-g * dt / tau)
    return np.where(np.abs(g) < 1e-7, v + dt / tau * drive, exact)


@dataclass
class Reference:
    """What the reference network did."""

    spikes: list[tuple[int, int]]
    weights: Floats
    theta_mv: Floats
    counts: NDArray[np.int64]
    attempts: list[int]
    silent: list[bool]
    #: Voltages (mV) and conductances at the end, named as in an engine's state.
    state: dict[str, Floats]


def splitmix64(state: int) -> int:
    """Return SplitMix64's output function in whole numbers (Steele, Lea, Flood 2014)."""
    word = 2**64 - 1
    z = state & word
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & word
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & word
    return z ^ (z >> 31)


def uniform_number(key: int, i: int, nth: int) -> float:
    """Return the number in (0, 1] from which the gap after spike `nth` of input i is drawn."""
    hashed = splitmix64((key << 12) + ((nth << 32) + i + 1) * 0x9E3779B97F4A7C15)
    return ((hashed >> 11) + 1) / 2**53


def dither_number(key: int, event: int, i: int, j: int) -> Fraction:
    """Return what is added to a code before it is cut, where weights are rounded by chance."""
    hashed = splitmix64(((key << 12) ^ 0xD1B54A32D192ED03) + (event + 1) * 0x9E3779B97F4A7C15)
    hashed = splitmix64(hashed ^ ((i << 32) + j))
    return Fraction(2 * (hashed >> 40) + 1, 2**25)


def input_spikes(key: int, chances: Floats, stimulus: int) -> dict[int, list[int]]:
    """Return which inputs fire at which tick of a presentation: geometric gaps by inversion."""
    sent: dict[int, list[int]] = defaultdict(list)
    for i, chance in enumerate(chances):
        tick = nth = 0
        while chance > 0:
            gap = 0 if chance >= 1 else math.floor(math.log(uniform_number(key, i, nth)) / math.log1p(-chance))
            tick, nth = tick + 1 + gap, nth + 1
            if tick > stimulus:
                break
            sent[tick].append(i)
    return sent


def simulate(
    experiment: Experiment,
    images: NDArray[np.uint8],
    weights: Floats,
    wiring: Wiring,
    plastic: bool = True,
    first: int = 0,
    stream: int = Stream.TRAINING,
    exc: Cell = EXC_CELL,
    inh: Cell = INH_CELL,
    stored: tuple[int, float, float, str] | None = None,
) -> Reference:
    """Present `images` to the network, in Brian 2's order: state updates, thresholds, synapses, resets.

    `stored` are bits, least weight, step and rounding of the weights' grid.
    """
    dt, net, shown, n_e = experiment.dt, experiment.network, experiment.presentation, experiment.n_e
    euler = net.integration == "euler"
    keep_e, keep_i = decay_of(dt, exc["tau_ge_ms"], euler)[0], decay_of(dt, exc["tau_gi_ms"], euler)[0]
    keep_inh, mean_inh = decay_of(dt, inh["tau_ge_ms"], euler)
    refractory, refractory_inh = round(exc["refractory_ms"] / dt), round(inh["refractory_ms"] / dt)
    seed = experiment.seed if experiment.noise_seed is None else experiment.noise_seed
    delays = wiring.to_matrix(wiring.delay_steps)
    lateral = wiring.inhibition_delay_steps
    lateral = np.zeros((n_e, n_e), dtype=int) if lateral is None else lateral
    state = experiment.precision.state
    fixed = None if state.bits is None else FixedPoint(state.bits, state.fraction_bits, dt, euler)
    near = (lambda values: values) if fixed is None else fixed.near
    w_exc_inh, w_inh_exc = float(near(net.w_exc_inh)), float(near(net.w_inh_exc))
    layer: Any = FrozenLayer(weights)
    if plastic and experiment.rule.name == "triplet":
        layer = TripletLayer(experiment, weights, fixed)
    elif plastic:
        layer = SelfNormalizingLayer(experiment, weights)
    if plastic and stored is not None:
        layer = StoredLayer(layer, *stored)
    theta_keep = math.exp(-dt / net.theta_tau_ms) if plastic else 1.0
    theta_step = float(near(experiment.theta_step_mv)) if plastic else 0.0
    stimulus, whole = round(shown.stimulus_ms / dt), round(shown.stimulus_ms / dt) + round(shown.rest_ms / dt)
    skipped, last_tick = None, whole - 1
    if shown.rest == "reset":
        # Until the last input spikes, and the inhibition that they can cause, have arrived.
        last_tick = stimulus + math.ceil(net.input_delay_ms / dt)
        if net.inhibition_delay_ms:
            last_tick += math.ceil((net.inhibition_delay_ms + 10) / dt)
        skipped = whole - 1 - last_tick
    v, ge, gi = np.full(n_e, float(exc["v_start_mv"])), np.zeros(n_e), np.zeros(n_e)
    v_inh, ge_inh = np.full(n_e, float(inh["v_start_mv"])), np.zeros(n_e)
    theta = near(np.full(n_e, net.theta_init_mv))
    last, last_inh = np.full(n_e, -1000), np.full(n_e, -1000)
    due: dict[int, Mask] = defaultdict(lambda: np.zeros(weights.shape, dtype=bool))
    due_inh: dict[int, Floats] = defaultdict(lambda: np.zeros(n_e))
    spikes, all_counts, all_attempts, all_silent = [], [], [], []
    step = 0
    for example, image in enumerate(images):
        attempt, settled = 0, False
        while not settled:
            counts = np.zeros(n_e, dtype=int)
            chance = image / 8 * (shown.intensity + attempt) * dt / 1000
            key = int(draw_key(seed, stream, first + example, attempt)[0])
            sent = input_spikes(key, chance, stimulus)
            for tick in range(whole):
                layer.moment = (key, tick)
                # State updates: conductances enter by their value (Euler) or mean (exact), then decay.
                free, free_inh = step - last >= refractory, step - last_inh >= refractory_inh
                if fixed is not None:
                    v, ge, gi = fixed.advance(exc, v, ge, gi, free)
                    v_inh, ge_inh, _ = fixed.advance(inh, v_inh, ge_inh, np.zeros(n_e), free_inh)
                    theta = fixed.threshold(theta, theta_keep) if plastic else theta
                else:
                    v = np.where(free, membrane_step(v, ge, gi, dt, euler, exc), v)
                    excitation = ge_inh * mean_inh * (inh["E_exc_mv"] - v_inh)
                    inward = dt / inh["tau_ms"] * ((inh["v_rest_mv"] - v_inh) + excitation)
                    v_inh = np.where(free_inh, v_inh + inward, v_inh)
                    ge, gi, ge_inh, theta = ge * keep_e, gi * keep_i, ge_inh * keep_inh, theta * theta_keep
                layer.decay()
                # Thresholds.
                fired = free & (v > theta + exc["v_offset_mv"])
                fired_inh = free_inh & (v_inh > inh["v_threshold_mv"])
                if 1 <= tick <= stimulus:
                    for i in sent[tick]:
                        for j in range(n_e):
                            due[step + delays[i, j]][i, j] = True
                    counts += fired
                spikes += [(step, int(j)) for j in np.flatnonzero(fired)]
                # Synapses: arrivals, then postsynaptic spikes, then a new presentation's normalization.
                hit = due.pop(step, None)
                if hit is not None:
                    ge = ge + (near(layer.weights) * hit).sum(axis=0)
                    layer.arrive(hit)
                ge_inh = ge_inh + w_exc_inh * fired
                for k in np.flatnonzero(fired_inh):
                    for j in range(n_e):
                        if j != k:
                            due_inh[step + lateral[k, j]][j] += w_inh_exc
                gi = gi + due_inh.pop(step, 0.0)
                layer.fire(fired)
                if tick == 0:
                    layer.begin_presentation()
                # Resets.
                v[fired], v_inh[fired_inh] = exc["v_reset_mv"], inh["v_reset_mv"]
                last[fired], last_inh[fired_inh] = step, step
                theta = theta + theta_step * fired
                if tick == 0 and not plastic:
                    v[:], v_inh[:] = exc["v_rest_mv"], inh["v_rest_mv"]
                    ge[:] = gi[:] = ge_inh[:] = 0
                    last[:] = last_inh[:] = -1000
                step += 1
                if tick == last_tick:
                    break
            if skipped is not None:
                # The rest that is not simulated: everything at rest, and as many steps of decay.
                step += skipped
                if plastic:
                    v[:], v_inh[:] = exc["v_rest_mv"], inh["v_rest_mv"]
                    ge[:] = gi[:] = ge_inh[:] = 0
                    last[:] = last_inh[:] = -1000
                if fixed is not None and plastic:
                    theta = fixed.threshold(theta, theta_keep**skipped)
                    layer.decay(skipped)
                for _ in range(0 if fixed else skipped):
                    theta = theta * theta_keep
                    layer.decay()
            attempt += 1
            settled = counts.sum() >= shown.min_spikes or shown.intensity + attempt > shown.max_intensity
        all_counts.append(counts)
        all_attempts.append(attempt)
        all_silent.append(bool(counts.sum() < shown.min_spikes))
    state = {"exc.v": v, "exc.ge": ge, "exc.gi": gi, "exc.theta": theta, "inh.v": v_inh, "inh.ge": ge_inh}
    return Reference(spikes, layer.weights, theta, np.array(all_counts), all_attempts, all_silent, state)


# Small experiments

N_INPUT = 16
RULES_TO_TEST = ("smax-lagged", "smax-instantaneous", "smin-lagged", "smin-instantaneous", "triplet")
_RULES: dict[str, dict[str, Any]] = {
    "smax": {"name": "smax", "eta": 0.1, "a_tar": 0.5, "tau_pre_ms": 5},
    "smin": {"name": "smin", "eta": 0.1, "a_tar": 0.5, "tau_pre_ms": 5, "positive_share": 0.7},
    "triplet": {"name": "triplet", "nu_pre": 0.01, "nu_post": 0.1, "a_tar": 0.5},
    # Formulas of the user's, without a value at L_0 = 0 and 4; the reference network does not know them.
    "closures": {
        "name": "smax",
        "eta": 0.1,
        "a_tar": 0.5,
        "tau_pre_ms": 5,
        "s_max": "0.5 * s_max + 0.5 * L_tar / L_0",
        "s_min": "-1 / (L_0 - 4)",
    },
}


def small_experiment(rule: str = "smin-lagged", **changes: Any) -> Experiment:
    """Return an experiment of 4 neurons that runs in moments; `changes` are top-level keys or whole sections."""
    name, _, scaling = rule.partition("-")
    content: dict[str, Any] = {
        "n_e": 4,
        "chunk": 8,
        "seed": 5,
        "rule": {**_RULES[name], **({"scaling": scaling} if scaling else {})},
        "presentation": {"stimulus_ms": 40, "rest_ms": 15, "intensity": 20, "max_intensity": 22, "min_spikes": 3},
    }
    network = {"input_delay_ms": 5, "w_inh_exc": 3, "theta_init_mv": 12, "theta_step_mv": 0.3, "theta_tau_ms": 1000}
    content["network"] = {**network, **changes.pop("network", {})}
    content["presentation"] = {**content["presentation"], **changes.pop("presentation", {})}
    return build_experiment({**content, **changes})


def default_experiment(rule: str = "smin", **changes: Any) -> Experiment:
    """Return 6 neurons with every default of network and rule, shown images for a short time.

    The intensity makes 64 inputs drive a neuron about twice as much as 784 do. `changes` are top-level keys or
    whole sections.
    """
    content: dict[str, Any] = {"n_e": 6, "chunk": 4, "seed": 2, "rule": {"name": rule}}
    rest = changes.get("network", {}).get("inhibition_delay_ms", 0) + 10 + 10
    shown = {"stimulus_ms": 110, "rest_ms": rest, "intensity": 24, "max_intensity": 25, "min_spikes": 5}
    return build_experiment({**content, "presentation": shown, **changes})


def draw_images(count: int, seed: int = 1, n_input: int = N_INPUT) -> NDArray[np.uint8]:
    """Draw images of which half the pixels are black."""
    random = np.random.default_rng(seed)
    grey = random.integers(40, 256, (count, n_input))
    return (grey * (random.random((count, n_input)) < 0.5)).astype(np.uint8)


@dataclass
class Run:
    """A network in one engine, ready to be shown images."""

    experiment: Experiment
    wiring: Wiring
    engine: Any
    start: State

    def weights_at_start(self) -> NDArray[Any]:
        """Return the weights before the first image, [n_input, n_e], as the engine holds them."""
        return np.asarray(self.wiring.to_matrix(self.start["input_exc.w"]))

    def weights(self, result: ChunkResult) -> Floats:
        return np.asarray(self.wiring.to_matrix(result.state["input_exc.w"]), dtype=np.float64)

    def show(
        self,
        images: NDArray[np.uint8],
        state: State | None = None,
        first: int = 0,
        stream: int = Stream.TRAINING,
    ) -> ChunkResult:
        return self.engine.run(self.start if state is None else state, Chunk(first, images, stream))

    def spikes(self) -> list[tuple[int, int]]:
        """Return (step, neuron) of every excitatory spike of the last chunk, sorted."""
        if self.engine.name == "runtime":
            monitor = self.engine.built.spikes
            times, neurons = monitor.t_[:], monitor.i[:]
        else:
            times, neurons = self.engine._load("exc_spikes.t"), self.engine._load("exc_spikes.i")
        steps = np.rint(np.asarray(times) * 1000 / self.experiment.dt).astype(int)
        return sorted((int(step), int(j)) for step, j in zip(steps, neurons, strict=True))


_OPEN: dict[tuple[str, bool, str], Any] = {}


def open_run(
    experiment: Experiment, target: str, plastic: bool = True, n_input: int = N_INPUT, fresh: bool = False
) -> Run:
    """Open a network on `numpy`, `cython` or `cpp`; engines are kept, so that each is prepared once, or `fresh`."""
    wiring = draw_wiring(experiment, n_input)
    plasticity = experiment.plasticity(n_input) if plastic else None
    # A test may have put other constants in the place of the neurons' own.
    constants = f"{neurons.EXCITATORY}{neurons.INHIBITORY}"
    key = (f"{experiment.model_dump_json()}{n_input}{constants}", plastic, target)
    engine = open_fresh(experiment, target, plastic, n_input) if fresh else _OPEN.get(key)
    if engine is None:
        engine = _OPEN[key] = open_fresh(experiment, target, plastic, n_input)
    target_l1 = experiment.rule.parameters["a_tar"] * n_input
    start = initial_state(experiment, wiring, plasticity, draw_weights(experiment, n_input, target_l1))
    return Run(experiment, wiring, engine, start)


def open_fresh(experiment: Experiment, target: str, plastic: bool = True, n_input: int = N_INPUT) -> Any:
    """Open an engine that no other test has used."""
    from snstdp_cli.engines.runtime import RuntimeEngine
    from snstdp_cli.engines.standalone import StandaloneEngine

    wiring = draw_wiring(experiment, n_input)
    plasticity = experiment.plasticity(n_input) if plastic else None
    if target == "cpp":
        return StandaloneEngine(experiment, plasticity, wiring)
    engine = RuntimeEngine(experiment, plasticity, wiring, target="numpy")
    if target == "cython":
        _translate_with_cython(engine)
    return engine


def _translate_with_cython(engine: Any) -> None:
    """Let Cython run our statements; Brian 2's own bookkeeping, which takes minutes to compile, stays NumPy."""
    from brian2.codegen.runtime.cython_rt.cython_rt import CythonCodeObject

    built = engine.built
    inputs = next(obj for obj in built.network.objects if obj.name == "inputs")
    ours = [built.exc.state_updater, built.exc.thresholder["spike"], built.exc.resetter["spike"]]
    ours += [*built.synapses._pathways, inputs.thresholder["spike"], inputs.resetter["spike"]]
    show = next(obj for obj in built.network.objects if obj.name == "show_image")
    ours += [*show._pathways, *built.controller.resetter.values()]
    ours += [obj for obj in built.controller.contained_objects if obj.name == "controller_step"]
    for obj in ours:
        obj.codeobj_class = CythonCodeObject


@functools.cache
def mixed_images() -> NDArray[np.uint8]:
    """Return bright, dim and black images: some answered at once, some after retries, some never."""
    images = draw_images(7)
    images[2] //= 8
    images[4] = 0
    images[5] //= 2
    return images


@functools.cache
def shown(rule: str, target: str, plastic: bool = True) -> tuple[Run, ChunkResult, list[tuple[int, int]]]:
    """Show the mixed images once for all tests that look at the answer: network, result and spikes."""
    run = open_run(small_experiment(rule), target, plastic)
    result = run.show(mixed_images())
    return run, result, run.spikes()


def reference_of(run: Run, images: NDArray[np.uint8], plastic: bool = True, **options: Any) -> Reference:
    """Simulate what `run.show(images)` does."""
    weights = np.asarray(run.wiring.to_matrix(run.start["input_exc.w"]), dtype=np.float64)
    return simulate(run.experiment, images, weights, run.wiring, plastic, **options)
