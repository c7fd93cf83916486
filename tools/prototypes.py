"""What as many prototypes as there are neurons can tell: k-means, to see the accuracies of the rules beside.

Images of length 1 are put into as many clusters as there are neurons, without labels; labels of the first training
images name each cluster by a vote, and a test image gets the name of the nearest one. It sees all images, until it gets
no better or at most twenty times, and has no spikes: what it reaches tells what prototypes can, and is no rule that a
network could follow.

python tools/prototypes.py --data mnist                                    # needs snstdp[linear]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets import Dataset, load_dataset
from snstdp_cli.studies.intervals import estimate

_PASSES, _BATCH = 20, 2_048


def prototype_accuracy(train: Dataset, test: Dataset, num: int, *, num_labels: int, seed: int) -> float:
    """Return the accuracy on test images of as many prototypes, named by the first training images.

    The clusters are those of mini-batch k-means (D. Sculley, "Web-scale k-means clustering", WWW 2010,
    doi:10.1145/1772690.1772862) by scikit-learn.
    """
    from sklearn.cluster import MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    votes = np.zeros((num, int(train.labels.max()) + 1), dtype=np.int64)
    with threadpool_limits(1):  # the same sums on every machine
        found = MiniBatchKMeans(num, random_state=seed, batch_size=_BATCH, n_init=1, max_iter=_PASSES).fit(_unit(train))
        np.add.at(votes, (found.predict(_unit(train)[:num_labels]), train.labels[:num_labels]), 1)
        answers = votes.argmax(axis=1)[found.predict(_unit(test))]
    return float((answers == test.labels).mean())


def _unit(dataset: Dataset) -> NDArray[np.float32]:
    """Return the images as vectors of length 1, [num_images, num_pixels]; empty ones stay empty."""
    vectors = dataset.images.reshape(len(dataset), -1).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print mean and half of the 95 % interval over seeds for each number of prototypes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist", help="data set")
    parser.add_argument("--data-dir", type=Path, default=None, help="its folder, if it is not the usual one")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 400, 1_600], help="numbers of prototypes")
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--labels", type=int, default=10_000, help="training images that name the prototypes")
    asked = parser.parse_args(arguments)
    train, test = (load_dataset(asked.data, split, asked.data_dir) for split in ("train", "test"))
    for num in asked.sizes:
        values = [
            prototype_accuracy(train, test, num, num_labels=asked.labels, seed=seed) for seed in range(asked.seeds)
        ]
        found = estimate(values)
        assert found is not None
        half = "" if found.ci95 is None else f" ± {50 * (found.ci95[1] - found.ci95[0]):.1f}"
        print(f"{num:,} prototypes: {100 * found.mean:.1f}{half} % ({asked.seeds} seeds)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
