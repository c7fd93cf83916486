"""The read-outs: the one list that settings, options, tables and studies are made from."""

from __future__ import annotations

from typing import Literal, get_args

#: Ways to read a class from the spikes of all neurons.
Classifier = Literal["average", "selective", "proportion", "all_activity", "linear"]
READ_OUTS: tuple[Classifier, ...] = get_args(Classifier)
#: Those that are trained by labels; the others use labels only to name neurons. They are always told apart.
TRAINED: frozenset[Classifier] = frozenset({"linear"})
NAMING: tuple[Classifier, ...] = tuple(one for one in READ_OUTS if one not in TRAINED)
#: Those that are told where no others are asked for.
CLASSIFIERS: tuple[Classifier, ...] = ("average", "selective")

MEANINGS: dict[Classifier, str] = {
    "average": "Diehl & Cook's highest average response",
    "selective": "weighted by selectivity",
    "proportion": "BindsNET's proportion weighting",
    "all_activity": "BindsNET's all activity",
    "linear": "logistic regression, which is trained by labels (needs snstdp[linear])",
}


def read_out_title(read_out: str) -> str:
    """Return what a read-out is called in a table: one that is trained by labels says so.

    Examples
    --------
    >>> read_out_title("average"), read_out_title("linear")
    ('average', 'linear (trained by labels)')
    """
    return f"{read_out} (trained by labels)" if read_out in TRAINED else read_out


def with_usual(*first: Classifier) -> tuple[Classifier, ...]:
    """Return these read-outs and the ones that are always told, each once, in this order.

    Examples
    --------
    >>> with_usual("proportion")
    ('proportion', 'average', 'selective')
    """
    return tuple(dict.fromkeys((*first, *CLASSIFIERS)))
