"""The figure that compares the recorded responses of several networks."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from snstdp_cli.evaluation import Classifier
from snstdp_cli.fields import percent
from snstdp_cli.plots import drawing
from snstdp_cli.plots.titles import images_of, read_outs_of
from snstdp_cli.results import SeedGroup, TrainedNetwork, group_seeds, on_same_data, score_network

#: More notes below a name could not be read.
_MAX_NOTES = 6


def comparison(
    networks: Sequence[TrainedNetwork],
    *,
    classifier: Classifier = "average",
    data: str | None = None,
    mark: str | None = None,
) -> Figure:
    """Draw the accuracies of several networks by both read-outs, with every setting in which any two differ.

    Networks that differ in nothing but the seed share a row: their mean, its bar the standard deviation over seeds, and
    a point for each. A single network's bar is Wilson's 95 % interval.

    Parameters
    ----------
    networks
        Networks with recorded responses.
    classifier
        The read-out that is drawn first.
    data, mark
        Which of several recordings of each: its data set, its name.

    Raises
    ------
    SnstdpError
        If recordings are not there, or do not belong together.
    """
    scores = [score_network(one, classifier=classifier, data=data, mark=mark) for one in networks]
    groups = group_seeds(scores)
    readouts = read_outs_of(classifier)
    same, first = on_same_data(scores), scores[0].evaluation
    bars = "standard deviations over seeds" if all(len(group.scores) > 1 for group in groups) else "95 % intervals"
    mixed = len({len(group.scores) > 1 for group in groups}) > 1
    name = (
        f"chance: always class {scores[0].class_name(first.commonest_class)}, {percent(first.chance)}"
        if same
        else "chance: the commonest class"
    )
    return drawing.accuracy_bars(
        [(_label(group), [_bar(group, kind) for kind in readouts]) for group in groups],
        readouts,
        chances=[group.scores[0].evaluation.chance for group in groups],
        chance_name=name,
        title=f"Accuracy on {images_of(scores[0]) if same else 'different images (see the names)'}, with {bars}"
        f"{', of several seeds standard deviations' if mixed else ''}",
    )


def _label(group: SeedGroup) -> str:
    num = len(group.scores)
    name = group.names[0] if num == 1 else f"{group.names[0]} and {num - 1} more seed{'s' * (num > 2)}"
    notes = list(group.notes)
    if len(notes) > _MAX_NOTES:
        notes = [*notes[: _MAX_NOTES - 1], f"and {len(notes) - _MAX_NOTES + 1} settings more"]
    return "\n".join([name, *notes])


def _bar(group: SeedGroup, classifier: Classifier) -> drawing.Bar:
    mean, sd = group.mean_and_sd(classifier)
    if sd is None:
        return drawing.Bar(mean, group.scores[0].evaluations[classifier].ci95)
    return drawing.Bar(mean, (mean - sd, mean + sd), tuple(group.accuracies(classifier)))
