"""Which classes a network sees in images that nobody has labelled.

The images are presented to the frozen network under the conditions of its recorded training responses, which give the
neurons their labels: image k gives the very spikes that a recording of test images gives for its image k.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import RecordingRecord, load_responses, recording_mark
from snstdp_cli.config import differences
from snstdp_cli.datasets import Images, Pictures, Pixels, prepare_pixels
from snstdp_cli.engines import Stream
from snstdp_cli.errors import ArtefactError, DataError
from snstdp_cli.evaluation import CLASSIFIERS, NONE, Assignment, Classifier, assign_labels, classify
from snstdp_cli.network.neurons import generation
from snstdp_cli.progress import Reporter
from snstdp_cli.recording import present_images
from snstdp_cli.results.network import TrainedNetwork
from snstdp_cli.results.per_image import answer_rows, named_classes
from snstdp_cli.results.refusals import Recorded, current_recordings, nothing_recorded, recording_command
from snstdp_cli.results.selection import is_usual


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network sees in images without labels.

    Attributes
    ----------
    name
        The network.
    source
        Where the images are from.
    classes
        The classes that it tells apart, sorted, [num_classes].
    predictions
        By read-out: the class of each image, [num]; -1 where no labelled neuron fired.
    scores
        By read-out: evidence for each class, [num, num_classes], columns as in `classes`; comparable within a row only.
    counts
        Spikes of each excitatory neuron in the accepted presentation, [num, n_e].
    attempts
        Presentations that were needed, [num].
    silent
        Where an image never reached the required number of spikes, [num].
    labels_from
        What labelled the neurons, such as `10,000 train images of mnist`.
    class_names
        What the classes are called; empty where their numbers are their names.
    image_names
        Of pictures the names of their files; empty for other images.
    """

    name: str
    source: str
    classes: NDArray[np.int64]
    predictions: Mapping[Classifier, NDArray[np.int64]]
    scores: Mapping[Classifier, NDArray[np.float64]]
    counts: NDArray[np.uint16]
    attempts: NDArray[np.uint16]
    silent: NDArray[np.bool_]
    labels_from: str
    class_names: Mapping[int, str] = field(default_factory=dict)
    image_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """Where neither read-out names a class, [num]."""
        found: NDArray[np.bool_] = np.all([self.predictions[kind] == NONE for kind in CLASSIFIERS], axis=0)
        return found

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield for each image what was answered, as JSON can hold it (see `results.per_image.answer_rows`)."""
        every = answer_rows(
            self.predictions,
            self.scores,
            self.classes,
            self.counts,
            self.attempts,
            self.silent,
            class_names=self.class_names,
        )
        for k, row in enumerate(every):
            yield {"network": self.name, **({"file": self.image_names[k]} if self.image_names else {}), **row}


def predict_images(
    network: TrainedNetwork,
    images: Images | Pictures,
    *,
    mark: str | None = None,
    num_examples: int | None = None,
    workers: int | None = None,
    report: Reporter | None = None,
) -> Prediction:
    """Present images to a frozen network and read its answers by both read-outs.

    Parameters
    ----------
    mark
        Which training responses label the neurons, if there are some of several conditions: their name (`test --as`)
        or the beginning of their identity. By default those with the settings of the training.
    num_examples
        Show only the first ones.
    workers
        How many engines present them side by side; by default one a core.

    Raises
    ------
    ArtefactError
        If weights or training responses are missing, or were not made under conditions that hold now.
    SnstdpError
        If the images do not fit the network, or the simulation fails.
    """
    file, record = _choose_labels(network, mark)
    responses = load_responses(file.path)
    assignment = _assign(network, responses.counts, responses.labels)
    shown = _prepared(images, num_examples, record, network.name)
    counts, attempts, silent = present_images(
        record.experiment,
        network.stored_for(record.experiment),
        shown,
        name=network.name,
        stream=Stream.TEST_RECORDING,
        workers=workers,
        report=report or Reporter(),
    )
    answers = {kind: classify(counts, assignment, kind) for kind in CLASSIFIERS}
    return Prediction(
        name=network.name,
        source=images.source,
        classes=assignment.classes,
        predictions={kind: predicted for kind, (_, predicted) in answers.items()},
        scores={kind: scores for kind, (scores, _) in answers.items()},
        counts=counts,
        attempts=attempts,
        silent=silent,
        class_names=named_classes(assignment.classes, record.data.class_name),
        labels_from=f"{len(responses.labels):,} {record.data.split} images of {record.data.identity}",
        image_names=shown.names,
    )


def _prepared(images: Images | Pictures, num_examples: int | None, record: RecordingRecord, name: str) -> Images:
    """Return the first images as those were prepared that the network learned from."""
    pixels: Pixels = images.images[:num_examples]
    if (inputs := record.experiment.input).prepares:
        pixels = prepare_pixels(pixels, inputs, images.source)
    size = " x ".join(map(str, record.data.image_shape))
    if isinstance(pixels, np.ndarray) and pixels[0].size == np.prod(record.data.image_shape):
        return Images(pixels, images.source, images.names[:num_examples])
    shapes = sorted({one.shape for one in pixels})
    sizes = " to ".join(" x ".join(map(str, one)) for one in dict.fromkeys([shapes[0], shapes[-1]]))
    raise DataError(
        f"{images.source}: found images of {sizes} pixels, expected {size}, as '{name}' learned from; bring them to "
        "this size, or train with input.size: images are then brought to it here, too"
    )


def _assign(network: TrainedNetwork, counts: NDArray[np.uint16], labels: NDArray[np.uint8]) -> Assignment:
    never = network.never_learned
    assignment = assign_labels(counts, labels, never_learned=never)
    if (assignment.labels == NONE).all():
        raise DataError(
            f"no neuron of '{network.name}' has a label: none that learned fired for the training images; train on "
            "more examples"
        )
    return assignment


def _choose_labels(network: TrainedNetwork, mark: str | None) -> Recorded:
    """Return the largest training responses of the conditions that are asked for, if they hold now."""
    every = current_recordings(network, "train")
    fitting = [one for one in every if _is_named(one[1], mark)]
    if not fitting:
        raise ArtefactError(nothing_recorded(network, "train", every, mark=mark))
    if mark is None:
        fitting = [one for one in fitting if is_usual(network, one[1])] or fitting
        fitting = [one for one in fitting if one[1].generation == generation()] or fitting
    if len({record.conditions for _, record in fitting}) > 1:
        marks = ", ".join(recording_mark(record) for _, record in fitting)
        raise ArtefactError(
            f"{network.workdir.activity}: the training images were shown to '{network.name}' under several conditions; "
            f"choose by --as: {marks}"
        )
    file, record = fitting[0]
    if record.generation != generation():
        again = recording_command(network, "train")
        raise ArtefactError(
            f"{file.path}: recorded by another version of snstdp, which drew other random numbers; expected responses "
            f"of this one: {again} --force"
        )
    if record.experiment.n_e != network.n_e:
        apart = differences({"n_e": network.n_e}, {"n_e": record.experiment.n_e})
        raise ArtefactError(f"{file.path}: not responses of this network ({', '.join(apart)}); record again")
    return file, record


def _is_named(record: RecordingRecord, mark: str | None) -> bool:
    return mark is None or recording_mark(record) == mark or record.identity.startswith(mark)
