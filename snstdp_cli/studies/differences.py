"""Paired differences to a baseline, over the same seeds and the same test images."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import SnstdpError
from snstdp_cli.evaluation import Classifier, mcnemar, mean_and_sd
from snstdp_cli.studies.baseline import match_settings
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.intervals import interval_of, student_t
from snstdp_cli.studies.read_outs import find_read_out
from snstdp_cli.studies.statistics import accuracy_of, group_settings, scored_images

#: Where a cell was right by a read-out, [num_examples].
LoadCorrect = Callable[[CellResult, Classifier], NDArray[np.bool_]]
Pair = tuple[CellResult, CellResult]
#: Accuracies of a setting and of its baseline, seed by seed.
Values = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Difference:
    """How much a setting differs from its baseline in one measure: its value minus that of the baseline.

    Attributes
    ----------
    settings, baseline
        The settings of the two.
    read_out
        By which the accuracies were found; or whatever else was measured.
    method
        `seeds`: a t test of the differences within each seed. `images`: only one seed is complete, so McNemar's exact
        test over its test images, which tells these two networks apart and says nothing of other seeds. None where
        neither could be done.
    seeds
        Those for which both cells are finished and scored on the same images.
    left_out
        Seeds that only one of the two has, or whose images differ.
    mean
        Mean of the differences; None without a complete pair.
    ci95
        Its 95 % interval: t over seeds, or by A. Agresti and Y. Min over images; None where all differences are equal.
    effect_size
        Cohen's d_z: mean of the differences divided by their standard deviation (n - 1); None with one pair, or where
        all differences are equal. Source: J. Cohen, Statistical Power Analysis, 1988, p. 48; D. Lakens, Front. Psychol.
        2013, doi 10.3389/fpsyg.2013.00863, equation 6.
    p_value
        Two-sided, not corrected; None where the test is not defined.
    p_holm
        Corrected for all differences that were asked for together.
    note
        Why something is not told, or what to beware of.
    """

    settings: Mapping[str, Any]
    baseline: Mapping[str, Any] | None
    read_out: str
    method: Literal["seeds", "images"] | None = None
    seeds: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()
    mean: float | None = None
    ci95: tuple[float, float] | None = None
    effect_size: float | None = None
    p_value: float | None = None
    p_holm: float | None = None
    note: str | None = None


def paired_differences(
    cells: Sequence[CellResult],
    against: Mapping[str, Any],
    read_outs: Sequence[str],
    load_correct: LoadCorrect | None = None,
) -> list[Difference]:
    """Compare every setting with the one that differs from it in the keys of the baseline only.

    Parameters
    ----------
    cells
        All cells of a study, whatever their state.
    against
        Values that make a setting a baseline, such as `{"rule": "triplet"}`; see `resolve_baseline`.
    read_outs
        Which accuracies. All p-values are corrected together, over settings and read-outs; read-outs that give both
        settings the same accuracies with every seed are one comparison.
    load_correct
        Tells where a cell was right, for settings with a single seed; without it these have no interval.
    """
    groups = group_settings(cells)
    by_settings = match_settings([group[0].settings for group in groups], against)
    found: list[Difference] = []
    tests: list[Hashable] = []
    for place, (group, match) in enumerate(zip(groups, by_settings, strict=True)):
        if match is None:
            continue
        for read_out in read_outs:
            one, values = Difference(group[0].settings, None, read_out), Values()
            if match.place is not None:
                one, values = _compare(group, groups[match.place], read_out, load_correct)
            found.append(_with_note(one, match.note))
            tests.append((place, *values, one.p_value, one.ci95))
    return _corrected(found, tests)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, by Holm's step-down procedure.

    The smallest of m is multiplied by m, the next by m - 1 and so on; none may be smaller than one before it, nor
    above 1. Source: S. Holm, Scand. J. Stat. 1979, 6 (2), 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def _compare(
    group: Sequence[CellResult], baseline: Sequence[CellResult], read_out: str, load_correct: LoadCorrect | None
) -> tuple[Difference, Values]:
    """Return the difference of two settings by a read-out, and the accuracies of both that it is made of."""
    ours, theirs = _scored(group, read_out), _scored(baseline, read_out)
    shared = sorted(ours.keys() & theirs.keys())
    pairs = {
        seed: (ours[seed], theirs[seed]) for seed in shared if scored_images(ours[seed]) == scored_images(theirs[seed])
    }
    everything = {cell.seed for cell in (*group, *baseline)}
    start = Difference(
        settings=group[0].settings,
        baseline=baseline[0].settings,
        read_out=read_out,
        seeds=tuple(pairs),
        left_out=tuple(sorted(everything - pairs.keys())),
    )
    if not pairs:
        reason = "no seed is finished for both" if not shared else "not scored on the same images"
        return replace(start, note=reason), Values()
    values = Values((accuracy_of(a, read_out) or 0.0, accuracy_of(b, read_out) or 0.0) for a, b in pairs.values())
    differences = [value - other for value, other in values]
    if len(pairs) == 1:
        (pair,) = pairs.values()
        return _over_images(replace(start, mean=differences[0]), pair, load_correct), values
    return _over_seeds(start, differences), values


def _over_seeds(start: Difference, differences: Sequence[float]) -> Difference:
    """Test whether the mean of the differences is 0 by Student's t test for pairs."""
    mean, sd = mean_and_sd(differences)
    assert sd is not None
    known = replace(start, method="seeds", mean=mean)
    # Accuracies are shares of images; what is left of subtracting equal ones is rounding.
    if sd <= 1e-12:
        if abs(mean) <= 1e-12:
            return replace(known, mean=0.0, p_value=1.0, note="equal with every seed")
        return replace(known, note="the same difference with every seed: a t test is not defined")
    t = mean / (sd / math.sqrt(len(differences)))
    p_value = 2 * float(student_t().sf(abs(t), len(differences) - 1))
    return replace(known, ci95=interval_of(mean, sd, len(differences)), effect_size=mean / sd, p_value=p_value)


def _over_images(start: Difference, pair: Pair, load_correct: LoadCorrect | None) -> Difference:
    """Compare the two networks of a single seed image by image."""
    if load_correct is None:
        return replace(start, note="a single seed: no interval")
    try:
        correct = [np.asarray(load_correct(cell, find_read_out(start.read_out))) for cell in pair]
        result = mcnemar(*correct)
    except SnstdpError as error:
        return replace(start, note=f"a single seed, and its answers cannot be compared: {error}")
    note = "a single seed: the interval is over its images and says nothing of other seeds"
    return replace(start, method="images", ci95=result.ci95, p_value=result.p_value, note=note)


def _corrected(found: Sequence[Difference], tests: Sequence[Hashable]) -> list[Difference]:
    """Correct for all comparisons with a pair; one whose test is not defined counts, as if it had shown nothing.

    Parameters
    ----------
    tests
        What each comparison was made of; those that are equal are one.
    """
    paired = zip(tests, found, strict=True)
    p_values = {test: 1.0 if one.p_value is None else one.p_value for test, one in paired if one.seeds}
    corrected = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return [
        one if one.p_value is None else replace(one, p_holm=corrected[test])
        for test, one in zip(tests, found, strict=True)
    ]


def _scored(cells: Sequence[CellResult], read_out: str) -> dict[int, CellResult]:
    return {cell.seed: cell for cell in cells if accuracy_of(cell, read_out) is not None}


def _with_note(one: Difference, note: str | None) -> Difference:
    notes = [text for text in (note, one.note) if text]
    return replace(one, note="; ".join(notes) or None)
