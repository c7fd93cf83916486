"""The linear read-out: multinomial logistic regression on spike counts, by scikit-learn.

It is trained by labels, thousands of them, and so tells how much the responses hold, not how much the network learned
without labels; it never stands beside the other read-outs without saying so.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import ConfigError, DataError
from snstdp_cli.evaluation.checks import check_counts, check_labels

#: Strengths of the L2 penalty that are tried: the loss is the mean cross entropy + strength / 2 * |weights|^2, the
#: weights being those of spike counts in units of their standard deviation over all neurons and examples.
STRENGTHS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
#: Of the labelled images, every so many-th is withheld while the strength is chosen.
_WITHHELD = 5
#: A fit that is not settled by then (few responses, a weak penalty) is taken as it is.
_MAX_ITERATIONS = 1000


@dataclass(frozen=True, eq=False)
class LinearReadOut:
    """A fitted linear read-out.

    Attributes
    ----------
    classes
        The classes that it tells apart, sorted, [num_classes].
    weights
        Evidence of a spike of each neuron for each class, [n_e, num_classes].
    bias
        Evidence without any spike, [num_classes].
    strength
        Strength of the penalty, chosen by the accuracy on the withheld labelled images.
    """

    classes: NDArray[np.int64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    strength: float

    def scores(self, counts: NDArray[Any]) -> NDArray[np.float64]:
        """Return the evidence for each class, [num, num_classes]."""
        found: NDArray[np.float64] = counts.astype(np.float64) @ self.weights + self.bias
        return found


def fit_linear(counts: NDArray[Any], labels: NDArray[Any]) -> LinearReadOut:
    """Fit multinomial logistic regression to labelled training responses.

    The penalty is chosen by the accuracy on every fifth of these examples, which is withheld meanwhile; of equals, the
    strongest. Then all are used. No test image takes part.

    Parameters
    ----------
    counts
        Spike counts for training images, [num, n_e].
    labels
        Classes of these images, [num].

    Raises
    ------
    ConfigError
        If scikit-learn is not installed.
    DataError
        If the arrays do not fit together, or there are too few examples or classes.
    """
    check_counts(counts, "training responses")
    check_labels(labels, len(counts), "training responses")
    is_withheld = np.arange(len(counts)) % _WITHHELD == _WITHHELD - 1
    if not is_withheld.any() or len(np.unique(labels[~is_withheld])) < 2:
        raise DataError(
            f"the linear read-out is trained by labels: found {len(counts):,} training responses of "
            f"{len(np.unique(labels)):,} classes, expected at least {_WITHHELD} of two classes; record more "
            "(test --split train), or use another read-out"
        )
    tried = []
    for strength in STRENGTHS:
        fitted = _fit(counts[~is_withheld], labels[~is_withheld], strength)
        answers = fitted.classes[fitted.scores(counts[is_withheld]).argmax(axis=1)]
        tried.append((float(np.mean(answers == labels[is_withheld])), strength))
    _, strength = max(tried)
    return _fit(counts, labels, strength)


def _fit(counts: NDArray[Any], labels: NDArray[Any], strength: float) -> LinearReadOut:
    """Fit with one strength of the penalty."""
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise ConfigError(
            "the linear read-out needs scikit-learn, which is not installed: pip install 'snstdp[linear]'"
        ) from None
    # scikit-learn weighs the sum of the losses by C and the penalty by 1/2.
    model = LogisticRegression(C=1 / (strength * len(counts)), max_iter=_MAX_ITERATIONS)
    scale = float(counts.std()) or 1.0
    # The matrices are small: threads wait for each other, and sum in another order.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(counts.astype(np.float64) / scale, labels.astype(np.int64))
    weights, bias = np.asarray(model.coef_, np.float64).T / scale, np.asarray(model.intercept_, np.float64)
    if weights.shape[1] == 1:  # two classes: one column of log odds
        weights, bias = np.hstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return LinearReadOut(np.asarray(model.classes_, np.int64), weights, bias, strength)
