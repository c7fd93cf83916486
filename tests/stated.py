"""The very statements that a rule gives to Brian 2, executed by NumPy for one neuron."""

from __future__ import annotations

from typing import Any

import numpy as np

from snstdp_cli.rules import Plasticity

WINDOW = 40
NOW = 1_000_000


class StatedNeuron:
    """One neuron with the statements of a `Plasticity`; a sum over its synapses where they write to the neuron."""

    def __init__(self, plasticity: Plasticity, w: np.ndarray) -> None:
        self.plasticity = plasticity
        self.neuron = {**plasticity.neuron_variables, **dict.fromkeys(plasticity.traces, 0.0)}
        self.synapses: dict[str, Any] = {"w": w.copy(), "arrived": np.full(len(w), -(10**9))}

    @property
    def w(self) -> np.ndarray:
        return self.synapses["w"]

    @property
    def s_max(self) -> float | None:
        return self.neuron["s_max"] if self.neuron.get("scaled") else None

    def fire(self, active: np.ndarray) -> None:
        self.synapses["arrived"] = np.where(active, NOW - WINDOW, NOW - WINDOW - 1)
        for code in self.plasticity.on_post.values():
            self._execute(code, self.synapses, "_post")
        self._execute(self.plasticity.reset, self.neuron, "")

    def arrive(self, hit: np.ndarray) -> None:
        before = self.w.copy()
        self._execute(self.plasticity.on_pre, self.synapses, "_post")
        self.synapses["w"] = np.where(hit, self.w, before)

    def _execute(self, code: str, own: dict[str, Any], ending: str) -> None:
        functions = {"int": lambda x: np.asarray(x).astype(np.int64) * 1, "clip": np.clip, "exp": np.exp}
        functions |= {"abs": np.abs, "sqrt": np.sqrt}
        names: dict[str, Any] = {**self.plasticity.constants, **functions, **own, "t_in_timesteps": NOW}
        names |= {name + ending: value for name, value in self.neuron.items()}
        for line in filter(None, map(str.strip, code.splitlines())):
            target, operator, expression = line.split(" ", 2)
            value = eval(expression, {"__builtins__": {}}, names)
            if operator != "=":
                if ending and target.endswith(ending):
                    value = np.sum(value)
                value = names[target] + {"+=": 1, "-=": -1}[operator] * value
            names[target] = value
            if target in own:
                own[target] = value
            elif ending and target.endswith(ending):
                self.neuron[target.removesuffix(ending)] = value
