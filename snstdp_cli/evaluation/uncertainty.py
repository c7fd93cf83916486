"""How sure a figure is: intervals of accuracies, the comparison of two networks, and the spread over seeds."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import DataError

#: How sure the intervals are.
LEVEL = 0.95
#: Two-sided quantile of the normal distribution at this level.
Z95 = 1.959963984540054
#: More examples than this no count holds exactly, whatever a record says.
_MOST = 2**53


@dataclass(frozen=True)
class Comparison:
    """Two networks or classifiers, a and b, on the same examples.

    Attributes
    ----------
    only_a, only_b
        Examples that only this one got right.
    difference
        Accuracy of a minus accuracy of b.
    ci95
        95 % interval of the difference.
    p_value
        McNemar's exact two-sided p: the chance of so uneven a split if both were equally good.
    """

    num_examples: int
    only_a: int
    only_b: int
    difference: float
    ci95: tuple[float, float]
    p_value: float

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {**asdict(self), "ci95": list(self.ci95)}


@dataclass(frozen=True)
class CurvePoint:
    """A point of a learning curve: after `examples`, so many of the withheld images were right.

    Raises
    ------
    DataError
        If there are no withheld images, or not 0 to `total` correct ones.

    Examples
    --------
    >>> CurvePoint(examples=500, correct=30, total=40).accuracy
    0.75
    """

    examples: int
    correct: int
    total: int

    def __post_init__(self) -> None:
        if not (0 <= self.examples < _MOST and 1 <= self.total < _MOST and 0 <= self.correct <= self.total):
            raise DataError(
                f"expected a point of a learning curve with 0 to {self.total} correct images of at least one, found "
                f"{self.correct} after {self.examples} examples"
            )

    @property
    def accuracy(self) -> float:
        """Share of correct answers."""
        return self.correct / self.total

    @property
    def ci95(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(self.correct, self.total)


def wilson_interval(correct: int, total: int, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion; (0, 1) if nothing was observed.

    Sources: E. B. Wilson, J. Am. Stat. Assoc. 1927, doi 10.1080/01621459.1927.10502953; recommended by L. D. Brown,
    T. T. Cai and A. DasGupta, Stat. Sci. 2001, doi 10.1214/ss/1009213286.
    """
    if not 0 <= correct <= total:
        raise DataError(f"expected between 0 and {total} correct examples, found {correct}")
    if total == 0:
        return 0.0, 1.0
    share, spread = correct / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    low, high = max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))
    return 0.0 if correct == 0 else low, 1.0 if correct == total else high


def mcnemar(correct_a: NDArray[Any], correct_b: NDArray[Any]) -> Comparison:
    """Compare two networks or classifiers on the same examples.

    Only examples that one of them got right and the other wrong tell them apart; if both are equally good, these split
    like tosses of a fair coin. The p-value is the exact binomial one (Q. McNemar, Psychometrika 1947, doi
    10.1007/BF02295996). The interval of the difference adds half an example to each of the four outcomes (A. Agresti
    and Y. Min, Stat. Med. 2005, doi 10.1002/sim.1781).

    Parameters
    ----------
    correct_a, correct_b
        Where each was right, booleans, [num]; `difference_of_labels` tells whether they can be.
    """
    a, b = np.asarray(correct_a), np.asarray(correct_b)
    if a.ndim != 1 or a.shape != b.shape or a.size == 0:
        raise DataError(f"expected two results on the same examples, found the shapes {a.shape} and {b.shape}")
    if a.dtype != bool or b.dtype != bool:
        raise DataError(f"expected true or false for each example, found {a.dtype} and {b.dtype}")
    num, only_a, only_b = len(a), int(np.count_nonzero(a & ~b)), int(np.count_nonzero(b & ~a))
    centre = (only_a - only_b) / (num + 2)
    half = Z95 * math.sqrt(((only_a + only_b + 1) / (num + 2) - centre**2) / (num + 2))
    return Comparison(
        num_examples=num,
        only_a=only_a,
        only_b=only_b,
        difference=(only_a - only_b) / num,
        ci95=(max(-1.0, centre - half), min(1.0, centre + half)),
        p_value=_two_sided_coin(only_a, only_b),
    )


def mean_and_sd(accuracies: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean over seeds and the sample standard deviation (n - 1); None for the latter of a single seed."""
    if not accuracies:
        raise DataError("expected at least one accuracy, found none")
    values = [float(value) for value in accuracies]
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def _two_sided_coin(heads: int, tails: int) -> float:
    """Return the exact two-sided p-value of a fair coin, in whole numbers up to the last division."""
    num, fewer = heads + tails, min(heads, tails)
    ways = itertools.accumulate(range(fewer), lambda way, k: way * (num - k) // (k + 1), initial=1)
    return min(1.0, 2 * sum(ways) / (1 << num))
