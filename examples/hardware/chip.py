"""A chip that runs an exported network in whole numbers: a specification that can be executed.

It reads a folder that `snstdp hardware export NAME --to FOLDER` has written, replays the input spikes of its golden
vectors and compares every spike and every change of a weight. There is no floating-point number in it, and nothing of
snstdp.

    python examples/hardware/chip.py FOLDER

Numbers are codes: a code of a format stands for code / 2^fraction (voltages in mV). A constant of a neuron is
[multiplier, shift] and stands for multiplier / 2^shift.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

Row = tuple[int, ...]


# Words and arithmetic


def read_table(path: Path, widths: list[int], signed: list[bool]) -> list[Row]:
    """Read a .mem file: a word a line, its columns from the highest bits to the lowest."""
    rows = []
    for line in path.read_text().split():
        word, row = int(line, 16), []
        for width, sign in zip(reversed(widths), reversed(signed), strict=True):
            value = word & ((1 << width) - 1)
            row.append(value - (1 << width) if sign and value >> (width - 1) else value)
            word >>= width
        rows.append(tuple(reversed(row)))
    return rows


def nearest(product: int, shift: int) -> int:
    """Divide by 2^shift and round to the nearest, a tie up: add half, shift right."""
    return (product + (1 << shift >> 1)) >> shift if shift >= 0 else product << -shift


def towards_zero(product: int, shift: int) -> int:
    """Divide by 2^shift and cut off what is after the point, of the magnitude."""
    return product >> shift if product >= 0 else -(-product >> shift)


class Format:
    """Whole numbers of so many bits, `fraction` of them after the point."""

    def __init__(self, told: dict) -> None:
        self.bits, self.fraction, self.signed = told["bits"], told["fraction"], told["signed"]
        self.least = -(1 << (self.bits - 1)) if self.signed else 0
        self.most = self.least + (1 << self.bits) - 1

    def saturate(self, code: int) -> int:
        return min(max(code, self.least), self.most)


# Neurons


class Neurons:
    """A layer of leaky integrate-and-fire neurons with conductances."""

    def __init__(self, count: int, constants: dict, state: Format) -> None:
        self.constants, self.state = constants, state
        self.v = [constants["start"]] * count
        #: Conductances: excitatory and, where neurons have one, inhibitory. What arrives is added without a limit.
        self.g = {name: [0] * count for name in ("ge", "gi") if f"keep_{name}" in constants}
        self.cooldown = [0] * count

    def rest(self) -> None:
        """Set all to rest."""
        count = len(self.v)
        self.v, self.cooldown = [self.constants["rest"]] * count, [0] * count
        self.g = {name: [0] * count for name in self.g}

    def step(self) -> None:
        """Advance voltages and conductances by a time step."""
        c, f = self.constants, self.state.fraction
        ends = {"ge": c["reversal_exc"], "gi": c.get("reversal_inh", 0)}
        for j, v in enumerate(self.v):
            self.cooldown[j] = max(self.cooldown[j] - 1, 0)
            total, slope = 1 << f, (c["rest"] - v) << f
            for name, values in self.g.items():
                g = self.state.saturate(values[j])
                multiplier, shift = c[f"mean_{name}"]
                mean = nearest(g * multiplier, shift)  # over this step
                total += mean
                slope += mean * (ends[name] - v)
                multiplier, shift = c[f"keep_{name}"]
                values[j] = towards_zero(g * multiplier, shift)
            if self.cooldown[j] == 0:
                self.v[j] = self.state.saturate(v + self.moved(nearest(slope, f), total))

    def moved(self, slope: int, total: int) -> int:
        """Return by how much a voltage changes: slope * dt / tau * phi."""
        rate, shift = self.constants["membrane"]
        if self.constants.get("y"):
            rate = nearest(phi(total, self.constants["y"], self.state.fraction) * rate, 16)
        return nearest(slope * rate, shift)

    def reset(self, fired: list[int]) -> None:
        for j in fired:
            self.v[j], self.cooldown[j] = self.constants["reset"], self.constants["refractory_steps"]


def phi(total: int, y_share: list[int], fraction: int) -> int:
    """Return (1 - e^-x) / x with 16 digits after the point, x = total * dt / tau, without a division."""
    one = 1 << 16
    y = min(max(nearest(total * y_share[0], y_share[1] + fraction), 0), one)  # x / 8
    a = one // 2 - nearest(y * 10923, 16)  # 1/2 - y/6
    p = one - nearest(y * a, 16)  # (1 - e^-y) / y
    e1 = one - nearest(y * p, 16)  # e^-y
    e2 = nearest(e1 * e1, 16)
    e4 = nearest(e2 * e2, 16)
    for e in (e1, e2, e4):  # doubles y
        p = nearest(p * (one + e), 17)
    return p


# The learning rule


class Update:
    """Self-normalizing STDP: at a spike of a neuron each weight goes 2^-eta_shift of the way to s_max or s_min."""

    def __init__(self, constants: dict, scaling: list[Row], formats: dict[str, Format], neurons: int) -> None:
        self.constants, self.scaling = constants, scaling
        self.weight, self.target = formats["weight"], formats["target"]
        #: s_max and s_min that the neuron's previous spike left; None before the first.
        self.previous: list[Row | None] = [None] * neurons

    def spike(self, j: int, weights: list[int], ages: list[int], random: list[int]) -> list[Row]:
        """Change the weights of neuron j in place.

        Returns (active, L_0, learns, target, before, after) of each synapse.
        """
        active = [int(age <= self.constants["window_steps"]) for age in ages]
        l_0 = sum(active)
        usable, *now = self.scaling[l_0]
        if self.constants["scaling"] == "lagged":
            targets = self.previous[j]
            if usable:
                self.previous[j] = tuple(now)
        else:
            targets = tuple(now) if usable else None
        rows = []
        for i, before in enumerate(weights):
            target = 0 if targets is None else targets[0 if active[i] else 1]
            if targets is not None:
                weights[i] = self.moved(before, target, random[i])
            rows.append((active[i], l_0, int(targets is not None), target, before, weights[i]))
        return rows

    def moved(self, weight: int, target: int, random: int) -> int:
        """Return weight + (target - weight) / 2^eta_shift, rounded and saturated."""
        eta, digits = self.constants["eta_shift"], max(self.weight.fraction, self.target.fraction)
        w = weight << (digits - self.weight.fraction)
        s = target << (digits - self.target.fraction)
        exact, cut = (w << eta) + s - w, digits + eta - self.weight.fraction
        if self.constants["rounding"] == "stochastic":
            # random + 1/2 of 2^24 parts of a step
            rounded = ((exact << (25 - cut)) + 2 * random + 1) >> 25
        else:
            rounded = nearest(exact, cut) if self.constants["rounding"] == "nearest" else exact >> cut
        return self.weight.saturate(rounded)


# The chip


class Chip:
    """An exported network."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.told = folder, json.loads(folder.joinpath("chip.json").read_text())
        self.formats = {name: Format(told) for name, told in self.told["formats"].items()}
        self.inputs, self.count = self.told["inputs"], self.told["neurons"]
        self.delays = self.by_input("delays")
        self.lateral = None
        if "inhibition_delays" in self.told["tables"]:
            self.lateral = self.table("inhibition_delays", "inhibition_delays")

    def table(self, file: str, table: str) -> list[Row]:
        """Read the file of a table."""
        columns = self.told["tables"][table]
        formats = {"weight": "weight", "before": "weight", "after": "weight"}
        formats |= {"target": "target", "s_max": "target", "s_min": "target", "theta": "state"}
        signed = [name in formats and self.formats[formats[name]].signed for name in columns]
        return read_table(self.folder.joinpath(f"{file}.mem"), list(columns.values()), signed)

    def by_input(self, file: str) -> list[list[int]]:
        """Read a number for each synapse: the word of synapse (i, j) is number i * neurons + j."""
        words = [word for (word,) in self.table(file, "weights" if file.endswith(("weights", "after")) else file)]
        return [words[i * self.count : (i + 1) * self.count] for i in range(self.inputs)]

    def switch_on(self, learns: bool) -> None:
        """Load weights and thresholds; nothing has spiked yet."""
        state, constants = self.formats["state"], self.told["neuron_constants"]
        self.exc = Neurons(self.count, constants["excitatory"], state)
        self.inh = Neurons(self.count, constants["inhibitory"], state)
        self.weights = self.by_input("weights")
        self.theta = [theta for (theta,) in self.table("thresholds", "thresholds")]
        self.arrived = [[-(10**9)] * self.count for _ in range(self.inputs)]
        self.update = None
        if learns:
            scaling = self.table("scaling", "scaling")
            self.update = Update(self.told["learning"], scaling, self.formats, self.count)
        #: What arrives in which step: (input, neuron), and how often a neuron is inhibited.
        self.under_way: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.inhibited: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))

    def delivered(self, weight: int) -> int:
        """Return a weight as it is added to a conductance."""
        return nearest(weight, self.formats["weight"].fraction - self.formats["state"].fraction)

    def step(self, now: int, inputs: list[int], begins: bool, random: dict[int, list[int]]) -> tuple:
        """Run a time step.

        Parameters
        ----------
        now
            Its number.
        inputs
            Which inputs spike.
        begins
            Whether a presentation begins.
        random
            Numbers of 24 bits for stochastic rounding, by neuron.

        Returns the excitatory and inhibitory neurons that spike, and the updates by neuron.
        """
        self.exc.step()
        self.inh.step()
        if self.update:
            multiplier, shift = self.exc.constants["keep_theta"]
            saturate = self.formats["state"].saturate
            self.theta = [nearest(saturate(theta) * multiplier, shift) for theta in self.theta]
        above = self.exc.constants["threshold_above_theta"]
        fired = [j for j, v in enumerate(self.exc.v) if v > self.theta[j] + above and not self.exc.cooldown[j]]
        fired_inh = [
            j for j, v in enumerate(self.inh.v) if v > self.inh.constants["threshold"] and not self.inh.cooldown[j]
        ]
        self.transmit(now, inputs, fired, fired_inh)
        changes = {j: self.learn(now, j, random.get(j, [])) for j in fired} if self.update else {}
        if begins and not self.update:
            self.exc.rest()
            self.inh.rest()
        self.exc.reset(fired)
        self.inh.reset(fired_inh)
        if self.update:
            for j in fired:
                self.theta[j] += self.exc.constants["theta_step"]
        return fired, fired_inh, changes

    def transmit(self, now: int, inputs: list[int], fired: list[int], fired_inh: list[int]) -> None:
        """Send spikes on their way, and add what arrives in this step."""
        weights = self.told["connections"]
        for i in inputs:
            for j in range(self.count):
                self.under_way[now + self.delays[i][j]].append((i, j))
        for i, j in self.under_way.pop(now, ()):
            self.exc.g["ge"][j] += self.delivered(self.weights[i][j])
            self.arrived[i][j] = now
        for j in fired:
            self.inh.g["ge"][j] += weights["excitatory_to_partner"]
        for k in fired_inh:
            for j in range(self.count):
                if j != k:
                    delay = self.lateral[k * self.count + j][0] if self.lateral else 0
                    self.inhibited[now + delay][j] += 1
        for j, times in self.inhibited.pop(now, {}).items():
            self.exc.g["gi"][j] += times * weights["inhibitory_to_others"]

    def learn(self, now: int, j: int, random: list[int]) -> list[Row]:
        """Change the weights of a neuron that spikes."""
        weights = [row[j] for row in self.weights]
        ages = [now - row[j] for row in self.arrived]
        rows = self.update.spike(j, weights, ages, random or [0] * self.inputs)
        for row, weight in zip(self.weights, weights, strict=True):
            row[j] = weight
        return rows


# Golden vectors


def check(chip: Chip, told: dict) -> str:
    """Replay the input spikes of golden vectors and compare; return what was compared.

    Raises AssertionError at the first difference.
    """
    learns, folder = told["kind"] == "learning", told["folder"]
    spikes: dict[str, dict[int, list[int]]] = {}
    for group in ("input", "excitatory", "inhibitory"):
        spikes[group] = defaultdict(list)
        for step, number in chip.table(f"{folder}/{group}_spikes", "spikes"):
            spikes[group][step].append(number)
    expected: dict[tuple[int, int], list[Row]] = defaultdict(list)
    if learns:
        for step, j, _, *rest in chip.table(f"{folder}/updates", "updates"):
            expected[step, j].append(tuple(rest))
    chip.switch_on(learns)
    begins, changed = set(told["presentations_begin"]), 0
    for now in range(told["steps"]):
        # The random numbers of an update are its input, as the spikes are.
        random = {j: [row[4] for row in expected.get((now, j), [])] for j in spikes["excitatory"][now]}
        fired, fired_inh, changes = chip.step(now, spikes["input"][now], now in begins, random)
        where = f"{folder}, step {now}"
        assert fired == spikes["excitatory"][now], f"{where}: excitatory spikes {fired}"
        assert fired_inh == spikes["inhibitory"][now], f"{where}: inhibitory spikes {fired_inh}"
        for j, rows in changes.items():
            drawn = random[j]
            found = [(*row[:4], drawn[i], *row[4:]) for i, row in enumerate(rows)]
            assert found == expected[now, j], f"{where}: updates of neuron {j}"
            changed += len(rows)
    if learns:
        assert chip.weights == chip.by_input(f"{folder}/weights_after"), f"{folder}: weights at the end"
        assert [(theta,) for theta in chip.theta] == chip.table(f"{folder}/thresholds_after", "thresholds")
    count = {group: sum(map(len, steps.values())) for group, steps in spikes.items()}
    return (
        f"{folder}: {told['steps']} steps, {count['input']} input, {count['excitatory']} excitatory and "
        f"{count['inhibitory']} inhibitory spikes, {changed} updates: equal"
    )


def main() -> None:
    """Check all vectors of a folder."""
    chip = Chip(Path(sys.argv[1]))
    for told in chip.told["vectors"]:
        print(check(chip, told))


if __name__ == "__main__":
    main()
