"""An accuracy over seeds: mean, standard deviation and Student's interval."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from snstdp_cli.errors import ConfigError
from snstdp_cli.evaluation import mean_and_sd
from snstdp_cli.evaluation.uncertainty import LEVEL


@dataclass(frozen=True)
class Estimate:
    """An accuracy over seeds.

    Attributes
    ----------
    num_seeds
        Seeds that it was measured with.
    sd
        Sample standard deviation (n - 1); None with one seed.
    ci95
        95 % t interval of the mean; None with one seed. It may reach beyond 0 or 1 where seeds are few.
    """

    num_seeds: int
    mean: float
    sd: float | None
    ci95: tuple[float, float] | None


def interval_of(mean: float, sd: float | None, num: int) -> tuple[float, float] | None:
    """Return the two-sided 95 % interval of the mean of so many normal values; None for a single one.

    Source: Student, Biometrika 1908, doi 10.1093/biomet/6.1.1.

    Parameters
    ----------
    sd
        Sample standard deviation (n - 1) of the values.

    Examples
    --------
    >>> low, high = interval_of(0.92, 0.02, 3)
    >>> round(low, 4), round(high, 4)
    (0.8703, 0.9697)
    """
    if sd is None:
        return None
    half = _quantile(num - 1) * sd / math.sqrt(num)
    return mean - half, mean + half


@functools.cache
def _quantile(degrees: int) -> float:
    return float(student_t().ppf((1 + LEVEL) / 2, degrees))


def student_t() -> Any:
    """Return Student's t distribution of SciPy.

    Raises
    ------
    ConfigError
        If SciPy is not installed.
    """
    try:
        from scipy import stats
    except ImportError:
        raise ConfigError(
            "statistics over seeds need SciPy, which is not installed: pip install 'snstdp[study]'"
        ) from None
    return stats.t


def estimate(values: Sequence[float]) -> Estimate | None:
    """Return mean, spread and interval of the accuracies of several seeds; None of nothing."""
    if not values:
        return None
    mean, sd = mean_and_sd(values)
    return Estimate(len(values), mean, sd, interval_of(mean, sd, len(values)))
