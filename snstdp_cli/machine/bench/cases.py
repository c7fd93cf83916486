"""Which networks are measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from snstdp_cli.config import Experiment, build_experiment

SIZES = (100, 400, 1600, 6400)
#: Presentations of one measurement at dt 0.5 ms, so that each takes a second or more.
_PRESENTATIONS = {100: 400, 400: 200, 1600: 100, 6400: 60}
CHUNK = 500


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    engine: str
    rule: str
    n_e: int
    dt: float
    learning: bool = True
    delays: bool = True
    ancestor: bool = False
    rest: Literal["simulated", "reset"] = "simulated"
    arithmetic: Literal["double", "single"] = "double"

    @property
    def name(self) -> str:
        """A short name, such as `standalone_smax_400`."""
        if self.ancestor:
            return "ancestor_400"
        parts = [self.engine, self.rule if self.learning else "frozen", str(self.n_e)]
        parts += [] if self.dt == 0.5 else [f"dt{self.dt:g}"]
        parts += [] if self.delays else ["no_delay"]
        parts += [] if self.rest == "simulated" else [self.rest]
        return "_".join(parts + ([] if self.arithmetic == "double" else [self.arithmetic]))

    @property
    def bound(self) -> Case:
        """The case as the hand-written bound is: with a simulated rest, and in the one precision that it has."""
        return replace(self, rest="simulated", arithmetic="double")

    @property
    def presentations(self) -> int:
        """Images of one measurement."""
        if self.engine != "standalone":
            return 4
        size = min(_PRESENTATIONS, key=lambda n: abs(n - self.n_e))
        return _PRESENTATIONS[size] if self.dt >= 0.5 else _PRESENTATIONS[size] // 2

    def experiment(self) -> Experiment:
        """Return the configuration."""
        content: dict[str, Any] = {"n_e": self.n_e, "dt": self.dt, "rule": {"name": self.rule}, "chunk": CHUNK}
        content |= {"engine": self.engine, "presentation": {"rest": self.rest}, "arithmetic": self.arithmetic}
        if self.ancestor:
            content["network"] = {
                "integration": "euler",
                "inhibition": "dense",
                "inhibition_delay_ms": 5.0,
                "input_delay_ms": 0.0,
            }
        elif not self.delays:
            content["network"] = {"input_delay_ms": 0.0}
        return build_experiment(content)


#: Brian 2 as the ancestor's script runs it: the settings of configs/ancestor_400.yaml on the Cython target.
BASELINE = Case("runtime", "triplet", 400, 0.1, delays=False, ancestor=True)


def list_cases(quick: bool) -> list[Case]:
    """Return the cases: those of the table, in about fourteen minutes, or the few that take about one."""
    if quick:
        return [
            Case("standalone", "smax", 400, 0.5),
            Case("standalone", "smax", 400, 0.5, rest="reset"),
            Case("standalone", "smax", 400, 0.5, arithmetic="single"),
            Case("standalone", "smax", 400, 0.5, delays=False),
            Case("standalone", "smax", 400, 0.5, learning=False),
            Case("standalone", "smax", 100, 0.5),
        ]
    simulated = [Case("standalone", "smax", 400, 0.5, delays=False), Case("standalone", "smax", 400, 0.1)]
    simulated += [Case("standalone", "smax", n_e, 0.5) for n_e in SIZES]
    simulated += [Case("standalone", "smin", n_e, 0.5) for n_e in (100, 400)]
    simulated += [Case("standalone", "triplet", n_e, 0.5) for n_e in (100, 400, 6400)]
    simulated += [Case("standalone", "smax", 400, 0.5, learning=False)]
    runtime = [Case("runtime", rule, 400, 0.5) for rule in ("smax", "triplet")]
    # A row and its sisters one after the other: they share the measurement of the yardstick.
    standalone = [case for each in simulated for case in _sisters(each)]
    # The baseline's ratios first: whoever interrupts the rest has them on the screen.
    return [BASELINE, *standalone, *runtime]


def _sisters(case: Case) -> list[Case]:
    """Return a case, the same without a simulated rest, and in single precision at the step that most use."""
    single = [replace(case, arithmetic="single")] if case.dt == 0.5 else []
    return [case, replace(case, rest="reset"), *single]
