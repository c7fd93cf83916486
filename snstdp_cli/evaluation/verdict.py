"""Whether a network tells anything apart: a verdict of collapse, which average and selective must both support."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation.scores import Evaluation
from snstdp_cli.fields import percent
from snstdp_cli.fields.readouts import CLASSIFIERS, Classifier

#: Fewer examples than these tell nothing.
MIN_EXAMPLES = 20
#: A class that takes this share of the answers dominates ...
_MOST_ANSWERS = 0.9
#: ... if it also takes this share of the answers to other classes, which is implied where it has half the images at
#: most. A set of 90 % cats is rightly answered by "cat" nine times out of ten.
_MOST_OF_OTHERS = 0.8


def collapsed(evaluations: Mapping[Classifier, Evaluation], class_name: Callable[[int], str] = str) -> str | None:
    """Say that a network answers no better than chance, if both read-outs agree; None otherwise.

    A read-out has collapsed if one class takes 90 % of its answers, or if its interval reaches down to chance. What one
    of the two can still read has learned something. With fewer than 20 examples or a single class there is no verdict.

    Parameters
    ----------
    evaluations
        What `evaluate_all` returns.
    class_name
        Returns what a class is called.

    Examples
    --------
    >>> from snstdp_cli.evaluation import evaluate_all
    >>> counts, labels = np.tile([[4, 4]], (40, 1)), np.arange(40) % 2 + 1
    >>> collapsed(evaluate_all(counts, labels, counts, labels))
    'by average: 100 % of the answers are class 1; by selective: 100 % of the answers are class 1'
    """
    missing = [name for name in CLASSIFIERS if name not in evaluations]
    if missing:
        raise DataError(f"a verdict needs both read-outs; missing: {' and '.join(missing)}")
    findings = [_finding(evaluations[name], class_name) for name in CLASSIFIERS]
    if not all(findings):
        return None
    return "; ".join(f"by {name}: {finding}" for name, finding in zip(CLASSIFIERS, findings, strict=True))


def _finding(scored: Evaluation, class_name: Callable[[int], str]) -> str | None:
    """Say how one read-out has collapsed; None if it has not, or nothing can be told."""
    totals = scored.confusion.sum(axis=1) + scored.undecided_per_class
    if scored.num_examples < MIN_EXAMPLES or np.count_nonzero(totals) < 2:
        return None
    answers = scored.confusion.sum(axis=0)
    if not answers.any():
        return "no example is answered"
    k = int(answers.argmax())
    share = answers[k] / answers.sum()
    others = answers.sum() - scored.confusion[k].sum()
    of_others = (answers[k] - scored.confusion[k, k]) / others if others else 0.0
    if share >= _MOST_ANSWERS and of_others >= _MOST_OF_OTHERS:
        return f"{percent(share, 0)} of the answers are class {class_name(int(scored.classes[k]))}"
    if scored.ci95[0] <= scored.chance:
        return (
            f"{percent(scored.accuracy)} is not above the {percent(scored.chance)} of always answering "
            f"class {class_name(scored.commonest_class)}"
        )
    return None
