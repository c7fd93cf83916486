"""What a reader should know of a trained network, in plain sentences: the report and the command line say the same.

Each finding is made from figures alone; its advice is what the network's rule declares for the symptom, so that nobody
is told to change a parameter that the rule does not have.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from snstdp_cli.config import usual_theta_step_mv
from snstdp_cli.errors import ConfigError
from snstdp_cli.evaluation import CurvePoint, read_out_title
from snstdp_cli.fields import percent
from snstdp_cli.results.competition import (
    dominating_finding,
    intensity_advice,
    never_learned_finding,
    retries_finding,
    silent_finding,
    threshold_advice,
)
from snstdp_cli.results.convergence import classes_finding, pace_finding, theta_finding
from snstdp_cli.results.curves import Trend, trend_of
from snstdp_cli.results.finding import Finding
from snstdp_cli.results.network import TrainedNetwork
from snstdp_cli.results.scoring import Score
from snstdp_cli.results.usual import usual_finding
from snstdp_cli.rules import Symptom

#: The mean norm is at its target within this share of it.
_AT_TARGET = 0.03


def findings(network: TrainedNetwork, score: Score | None = None) -> list[Finding]:
    """Return what is to be said of a network, the most important first.

    Parameters
    ----------
    score
        Its score, if there is one.

    Examples
    --------
    >>> for finding in findings(network, score):  # doctest: +SKIP
    ...     print(finding.sentence)
    """
    found: list[Finding | None] = [] if score is None else list(score_findings(score))
    if not network.has_weights:
        return [one for one in found if one is not None]
    if (note := network.stored.note) is not None:
        found.append(Finding("thresholds", f"{note[:1].upper()}{note[1:]}.", alarming=True))
    advise = _Advice(network)
    record = network.record
    figures = None if record is None else record.figures
    if score is not None and record is not None and figures is not None:
        rule, n_e = record.experiment.rule.name, network.n_e
        found.append(usual_finding(score, rule, n_e, figures.examples))
    found.append(learning_finding(network.learning_curve))
    found.append(norm_of(network))
    found.append(theta_of(network))
    cause = _cause_of(network)
    found.append(pace_of(network, cause))
    never = network.never_learned
    if never is not None:
        found.append(never_learned_finding(int(never.sum()), len(never), cause or advise("never learned")))
    if figures is not None:
        brighter = cause or _weakness_of(network) or advise("silent")
        found.append(retries_finding(figures.retries, figures.examples, brighter))
        found.append(silent_finding(figures.silent_examples, figures.examples, brighter))
    if score is not None:
        assignment = score.evaluation.assignment
        found.append(classes_finding(assignment, score.class_names, cause or advise("classes without neurons")))
        spikes = assignment.num_spikes
        found.append(dominating_finding(spikes, cause or advise("few neurons dominate")))
    return [one for one in found if one is not None]


def norm_of(network: TrainedNetwork) -> Finding | None:
    """Compare a network's L1 norm at the end of its training with its rule's target; None if one is not known."""
    figures = None if network.record is None else network.record.figures
    if figures is None:
        return None
    advise = _Advice(network)
    return norm_finding(
        figures.l1_mean,
        figures.l1_target,
        signed=bool(network.weights.min() < 0),
        rising=_is_rising(network.history.l1_mean),
        low=advise("norm too low"),
        high=advise("norm too high"),
    )


def theta_of(network: TrainedNetwork) -> Finding | None:
    """Say whether a network's thresholds have settled; None for one that began with others' or tells no history."""
    record = network.record
    if record is None or record.start is None or record.start.name is not None:
        return None
    return theta_finding(network.history.theta_mean_mv, record.experiment.network.theta_init_mv)


def _cause_of(network: TrainedNetwork) -> str | None:
    """Return what to change of thresholds that explain alone why few neurons win or images have no answer."""
    record = network.record
    if record is None or record.figures is None:
        return None
    experiment, figures = record.experiment, record.figures
    many = retries_finding(figures.retries, figures.examples) is not None
    return threshold_advice(experiment.theta_step_mv, usual_theta_step_mv(experiment.n_e), many_retries=many)


def _weakness_of(network: TrainedNetwork) -> str | None:
    """Return what to change of inputs that explain alone why images have no answer at first."""
    if network.record is None:
        return None
    presentation = network.record.experiment.presentation
    return intensity_advice(presentation.intensity, type(presentation)().intensity)


def pace_of(network: TrainedNetwork, cause: str | None = None) -> Finding | None:
    """Compare what a network's rule says of its memory with the spikes of its training; None if one is not known.

    Parameters
    ----------
    cause
        What to change in place of a rate that is too low, if that alone explains why neurons fired so rarely.
    """
    record, history = network.record, network.history
    if record is None or record.figures is None or not history.spikes_per_example:
        return None
    advise = _Advice(network)
    spikes = float(np.mean(history.spikes_per_example))
    return pace_finding(
        advise.memory,
        spikes * record.figures.examples / network.n_e,
        spikes,
        slower=advise("learns too fast"),
        faster=cause or advise("learns too slowly"),
    )


def score_findings(score: Score) -> list[Finding]:
    """Say how accurate a network is by both read-outs, against the best constant answer, and what to doubt."""
    first = score.evaluation
    others = [one for kind, one in score.evaluations.items() if kind != score.classifier]
    texts = [f"{percent(other.accuracy)} by {read_out_title(other.classifier)}" for other in others]
    found = [
        Finding(
            "accuracy",
            f"{percent(first.accuracy)} of {first.num_examples:,} images of {score.data} are right by "
            f"{read_out_title(score.classifier)}, {' and '.join(texts)}; always answering class "
            f"{score.class_name(first.commonest_class)} would be right for {percent(first.chance)}.",
        )
    ]
    if (why := score.collapsed) is not None:
        found.append(Finding("collapsed", f"The network tells nothing apart ({why}).", alarming=True))
    if score.circular:
        found.append(
            Finding(
                "circular",
                "The neurons were labelled by the very responses that are scored, which flatters.",
                "Label them by training images: snstdp test --split train, then evaluate without --assign-from test.",
                alarming=True,
            )
        )
    assign, test = score.assign.record, score.test.record
    if assign is not None and test is not None and not assign.data.belongs_to(test.data):
        text = f"The neurons were labelled by {assign.data.identity}, the answers are to {test.data.identity}."
        found.append(Finding("data", text, alarming=True))
    return found


def learning_finding(curve: Sequence[CurvePoint]) -> Finding | None:
    """Say whether the learning curve still rises at its end; None without a curve."""
    if not curve:
        return None
    trend, last = trend_of(curve), curve[-1]
    now = f"{percent(last.accuracy)} of {last.total:,} withheld images after {last.examples:,} examples"
    if trend is Trend.RISING:
        return Finding("learning", f"The accuracy was still rising at the end: {now}.", "Train on more examples.")
    if trend is Trend.FALLING:
        text = f"The accuracy was falling at the end: {now}."
        return Finding("learning", text, "Look at the snapshots: an earlier one may be better.", alarming=True)
    if trend is Trend.STEADY:
        return Finding("learning", f"The accuracy had levelled off, as far as the withheld images tell: {now}.")
    return Finding("learning", f"The learning curve has too few points to tell whether it still rises: {now}.")


def norm_finding(
    mean: float, target: float | None, *, signed: bool, rising: bool, low: str | None = None, high: str | None = None
) -> Finding | None:
    """Compare the neurons' mean L1 norm with the rule's target; None for a rule without one.

    Parameters
    ----------
    signed
        Whether there are weights of both signs, which cancel where patterns change.
    rising
        Whether the norm was still approaching the target at the end.
    low, high
        Advice for a norm that is too low or too high.
    """
    if target is None or not target > 0:
        return None
    share = mean / target
    told = f"{mean:,.1f} on average, {percent(share, 0)} of the rule's target of {target:,.1f}"
    if abs(share - 1) <= _AT_TARGET:
        return Finding("norm", f"The L1 norm of a neuron's weights is {mean:,.1f} on average, at its target.")
    if share > 1:
        return Finding("norm", f"The L1 norm of a neuron's weights is {told}.", high, alarming=True)
    if rising:
        text = f"The L1 norm of a neuron's weights was still rising: {told}."
        return Finding("norm", text, low or "Train on more examples.")
    if signed:
        return Finding(
            "norm",
            f"The L1 norm of a neuron's weights is {told}. With weights of both signs that is expected: a synapse that "
            "is active in one image and inactive in the next is pulled both ways, so the norm reaches the target only "
            "while a pattern repeats.",
        )
    return Finding("norm", f"The L1 norm of a neuron's weights is {told}.", low)


class _Advice:
    """What the network's rule declares for a symptom, as a sentence; None for rules that are not at hand."""

    def __init__(self, network: TrainedNetwork) -> None:
        try:
            rule = None if network.record is None else network.experiment.rule.rule
        except ConfigError:  # a rule of the user's is a program; who only looks does not run it
            rule = None
        self.known = {} if rule is None else network.experiment.advice()
        #: See `Rule.memory`.
        self.memory: float | None = None
        if rule is not None and rule.memory is not None:
            self.memory = rule.memory(network.experiment.rule.parameters)

    def __call__(self, symptom: Symptom) -> str | None:
        text = self.known.get(symptom)
        return None if text is None else f"Use {text}."


def _is_rising(norms: Sequence[float]) -> bool:
    """Tell whether the mean norm grew by more than a hundredth over the last quarter of the training."""
    if len(norms) < 2:
        return False
    return norms[-1] > norms[-1 - max(1, len(norms) // 4)] * 1.01
