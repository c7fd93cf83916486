"""The closures of a self-normalizing rule: the two formulas that turn `L_0` into `s_max` and `s_min`.

`L_0` takes the values 0 to n, so for formulas of `L_0` alone everything is known beforehand: where both have a value,
what bounds they keep, and which L1 norm they lead to. Their statements then need no more than a comparison with the
limits of `L_0`. A formula that reads the old values of `s_max` or `s_min` is guarded at every step instead.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from snstdp_cli.rules.expressions import check_expression
from snstdp_cli.rules.formulas import Formula, evaluate, translate, write
from snstdp_cli.rules.scaling import Scaling
from snstdp_cli.rules.statements import is_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What a closure may read.
NAMES = ("L_tar", "L_0", "n", "share", "s_max", "s_min")
_OLD = ("s_max", "s_min")
#: With more intervals of `L_0` than this the formulas are guarded instead.
_MAX_INTERVALS = 8
#: For how many spikes, and for how many values of `L_0`, formulas with old values are followed.
_SETTLING_SPIKES = 1000
_SAMPLES = 1000
#: A norm within this factor of L_tar is one that the closures aim at (rounding of a formula, the ends of `L_0`).
_NEAR = 1.25


def _read(value: Any) -> str:
    if isinstance(value, int | float) and is_finite(value):
        value = repr(float(value)) if isinstance(value, float) else str(value)
    if not isinstance(value, str):
        raise ValueError("expected a formula as text, such as L_tar / L_0")
    return check_expression(value, NAMES)


#: A closure as a rule's parameter.
ClosureText = Annotated[
    str, BeforeValidator(_read), WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"type": "number"}]})
]


@dataclass(frozen=True)
class Closures:
    """The formulas of `s_max` and `s_min` for neurons with `n` synapses.

    Attributes
    ----------
    s_max, s_min
        Formulas in `L_0` and the old values.
    l_tar
        Target of the L1 norm.
    n
        Number of synapses of a neuron.
    scaling
        Limited precision of both.
    """

    s_max: Formula
    s_min: Formula
    l_tar: float
    n: int
    scaling: Scaling = field(default_factory=Scaling)

    @property
    def use_old_values(self) -> bool:
        """Whether a formula reads what the neuron's previous spike left."""
        return any(formula.uses(name) for formula in (self.s_max, self.s_min) for name in _OLD)

    @functools.cached_property
    def _counts(self) -> NDArray[Any]:
        """The values of `L_0` that are looked at: all, or with old values enough to see where norms settle."""
        import numpy as np

        most = _SAMPLES if self.use_old_values else self.n + 1
        return np.unique(np.linspace(0, self.n, min(self.n + 1, most)).round())

    @functools.cached_property
    def _settled(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """`s_max` and `s_min` that a repeated pattern with each of `_counts` leads to, and where there are any."""
        import numpy as np

        count = self._counts
        high, low, usable = np.zeros_like(count), np.zeros_like(count), np.zeros(count.shape, dtype=bool)
        for _ in range(_SETTLING_SPIKES if self.use_old_values else 1):
            variables = {"L_0": count, "s_max": high, "s_min": low}
            (new_high, good), (new_low, good_too) = evaluate(self.s_max, variables), evaluate(self.s_min, variables)
            good = good & good_too
            before = high, low
            high, low, usable = np.where(good, new_high, high), np.where(good, new_low, low), usable | good
            if np.array_equal(before, (high, low)):
                break
        return high, low, usable

    @property
    def have_values(self) -> bool:
        """Whether there is any `L_0` for which both formulas have a value."""
        return bool(self._settled[2].any())

    @property
    def intervals(self) -> list[tuple[int, int]]:
        """First and last of the numbers `L_0` for which both formulas have a value (of formulas without old values)."""
        import numpy as np

        edges = np.flatnonzero(np.diff(np.concatenate([[False], self._settled[2], [False]])))
        return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval that weights do not leave; none can be told if old values enter."""
        if self.use_old_values:
            return -math.inf, math.inf
        high, low, usable = self._settled
        return float(min(high[usable].min(), low[usable].min())), float(max(high[usable].max(), low[usable].max()))

    @property
    def l1_target(self) -> float | None:
        """`L_tar`, if that is the largest L1 norm to which a repeated pattern leads; else there is no target."""
        import numpy as np

        high, low, usable = self._settled
        norms = (self._counts * np.abs(high) + (self.n - self._counts) * np.abs(low))[usable]
        return self.l_tar if self.l_tar / _NEAR <= norms.max() <= self.l_tar * _NEAR else None

    @property
    def _is_guarded(self) -> bool:
        """Whether each step looks after itself, as it is not known before, or long to say, where there are values."""
        return self.use_old_values or not 0 < len(self.intervals) <= _MAX_INTERVALS

    def table(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return for each `L_0` from 0 to n whether there are values, `s_max` and `s_min` as `statements` gives them.

        Only for formulas without old values.
        """
        import numpy as np

        count, intervals, guarded = np.arange(self.n + 1.0), self.intervals, self._is_guarded
        usable = self._settled[2]
        used = count if guarded else np.where(usable, count, intervals[0][0])
        if (shared := self.scaling.interval_of(self.n)) > 1:
            limits = (0, self.n) if guarded else (intervals[0][0], intervals[-1][1])
            used = np.clip(np.floor(used / shared) * shared + shared // 2, *limits)
        found = []
        for formula in (self.s_max, self.s_min):
            values, good = evaluate(formula, {"L_0": used})
            usable = usable & good
            limited = [self.scaling.limited(value) for value in np.broadcast_to(values, count.shape).tolist()]
            found.append(np.array(limited))
        return usable, np.where(usable, found[0], 0.0), np.where(usable, found[1], 0.0)

    def statements(self, count: str, old: Mapping[str, str]) -> tuple[str, dict[str, float]]:
        """Write what works out `usable`, `s_max_now` and `s_min_now`, and return it with its constants.

        Parameters
        ----------
        count
            What `L_0` is called where the statements stand.
        old
            What the old values are called there.
        """
        constants: dict[str, float] = {}
        intervals, guarded = [] if self.use_old_values else self.intervals, self._is_guarded
        uses_table = self.scaling.interval_of(self.n) > 1
        names = {**old, "L_0": count if guarded and not uses_table else "L_0_used"}
        formulas = {"s_max": self.s_max, "s_min": self.s_min}
        lines: list[str] = []
        conditions: list[str] = []
        ends: list[str] = []
        for key, formula in formulas.items():
            written, result, flags = write(formula, names, constants, key, guarded=guarded)
            lines += written
            conditions += flags
            ends.append(f"{key}_now = {result}")
            if isinstance(formula.result, float):
                constants[result] = self.scaling.limited(formula.result)
            else:
                ends += self.scaling.result_statements(f"{key}_now")
        limits = ("0", f"{self.n}") if guarded else ("usable_from_1", f"usable_to_{len(intervals)}")
        look_up = [self.scaling.entry_statement("L_0_used", self.n, *limits)] if uses_table else []
        if guarded:
            lines = [*([f"L_0_used = {count}"] if uses_table else []), *look_up, *lines]
            return "\n".join([*lines, f"usable = {' * '.join(conditions) or '1'}", *ends]), constants
        for number, (first, last) in enumerate(intervals, start=1):
            constants |= {f"usable_from_{number}": first, f"usable_to_{number}": last}
            conditions.append(f"int({count} >= usable_from_{number} and {count} <= usable_to_{number})")
        # Elsewhere the formulas are worked out for an `L_0` at which they have values, and the result is not used.
        start = [f"usable = {' + '.join(conditions)}", f"L_0_used = usable * {count} + (1 - usable) * usable_from_1"]
        return "\n".join([*start, *look_up, *lines, *ends]), constants


def make_closures(
    s_max: str, s_min: str, l_tar: float, n: int, share: float, scaling: Scaling | None = None
) -> Closures:
    """Translate two checked formulas for neurons with `n` synapses.

    Raises
    ------
    ValueError
        If there is no `L_0` for which both have a value.
    """
    constants = {"L_tar": l_tar, "n": float(n), "share": share}
    formulas = translate(s_max, constants, "s_max"), translate(s_min, constants, "s_min")
    closures = Closures(*formulas, l_tar, n, scaling or Scaling())
    if not closures.have_values:
        raise ValueError(
            f"s_max = {s_max} and s_min = {s_min} have no finite values together for any L_0 from 0 to {n} (L_tar = "
            f"{l_tar:g}, share = {share:g}), so that no weight would ever change; expected formulas with values"
        )
    return closures
