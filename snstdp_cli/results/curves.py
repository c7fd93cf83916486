"""Whether a learning curve still rises at its end, as far as its withheld images can tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum

from snstdp_cli.evaluation import Z95, CurvePoint

#: Fewer points than these show no trend.
_LEAST_POINTS = 4


class Trend(Enum):
    """How a learning curve ends."""

    UNKNOWN = "too few points"
    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"


def trend_of(curve: Sequence[CurvePoint]) -> Trend:
    """Compare the last quarter of a learning curve with the quarter before it.

    The difference of the two shares must exceed what two independent draws of so many images would give in 5 % of all
    cases. The points share their withheld images, so the real noise is smaller: a small rise may go unnoticed, noise is
    seldom taken for one.

    Examples
    --------
    >>> trend_of([CurvePoint(k * 100, 10 * k, 100) for k in range(1, 9)]).value
    'rising'
    >>> trend_of([CurvePoint(k * 100, 90, 100) for k in range(1, 9)]).value
    'steady'
    """
    if len(curve) < _LEAST_POINTS:
        return Trend.UNKNOWN
    num = len(curve) // 4
    (late, n_late), (early, n_early) = _pool(curve[-num:]), _pool(curve[-2 * num : -num])
    share = (late + early) / (n_late + n_early)
    spread = math.sqrt(share * (1 - share) * (1 / n_late + 1 / n_early))
    difference = late / n_late - early / n_early
    if spread == 0 or abs(difference) <= Z95 * spread:
        return Trend.STEADY
    return Trend.RISING if difference > 0 else Trend.FALLING


def _pool(points: Sequence[CurvePoint]) -> tuple[int, int]:
    return sum(point.correct for point in points), sum(point.total for point in points)
