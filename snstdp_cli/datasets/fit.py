"""Whether images fit a network."""

from __future__ import annotations

from snstdp_cli.datasets.dataset import Dataset
from snstdp_cli.datasets.unlabelled import Images
from snstdp_cli.errors import DataError


def check_fit(dataset: Dataset | Images, n_input: int, what: str) -> None:
    """Refuse images of another size than the weights.

    Raises
    ------
    DataError
        Naming the images' size and that of `what`, such as `the network 'mine'`.
    """
    if dataset.n_input != n_input:
        rows, cols = dataset.images.shape[1:]
        raise DataError(
            f"{dataset.source}: the images have {rows} x {cols} = {dataset.n_input} pixels, but {what} has {n_input} "
            "inputs; use weights that were trained on images of this size"
        )
