"""The files of the ancestor's script as they lie: what they are called, and what they leave out.

The script saves its weights as `XeAe<ending>.npy` and `theta_A<ending>.npy`. At the end of a training the ending is
empty; on the way it is the number of examples shown. Its initial weights have no thresholds beside them, and of the
counts it keeps the last `update_interval` rows.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts.files import exists
from snstdp_cli.config.sections import NetworkSettings
from snstdp_cli.errors import ArtefactError

#: How the weights without a name, `XeAe.npy` and `theta_A.npy`, are called.
UNNAMED = "XeAe"
_SERIES = re.compile(r"XeAe([0-9]{1,9})\.npy")
#: Inputs of a network on MNIST, which the script is for.
_USUAL_INPUTS = 784


def array_paths(folder: Path, stem: str) -> tuple[Path, Path]:
    """Return where weights and thresholds are, as the ancestor names them."""
    ending = "" if stem == UNNAMED else stem
    return folder / f"XeAe{ending}.npy", folder / f"theta_A{ending}.npy"


def paths_to_read(folder: Path, stem: str) -> tuple[Path, Path]:
    """Return where weights are read; of a training without a name that did not end, the last ones it saved."""
    paths = array_paths(folder, stem)
    if stem != UNNAMED or exists(paths[0]) or exists(folder / f"{stem}.json"):
        return paths
    numbers = series_numbers(folder)
    return array_paths(folder, str(numbers[-1])) if numbers else paths


def series_numbers(folder: Path) -> list[int]:
    """Return after how many examples the script saved weights and thresholds on its way, in order.

    Weights with a record beside them are networks of ours whose name is a number.
    """
    found = [int(match[1]) for path in folder.glob("XeAe*.npy") if (match := _SERIES.fullmatch(path.name))]
    return sorted(
        number
        for number in set(found)
        if all(exists(path) for path in array_paths(folder, str(number))) and not exists(folder / f"{number}.json")
    )


def usual_theta_mv() -> float:
    """Return the threshold in mV with which a training begins if nothing else is configured."""
    return NetworkSettings().theta_init_mv


def neurons_without_thresholds(stored: NDArray[np.float64], path: Path) -> int:
    """Return n_e of weights whose thresholds are not there to tell it.

    Raises
    ------
    ArtefactError
        If the weights are flat and not those of 784 inputs.
    """
    if stored.ndim == 2 and stored.shape[1] == 3:  # i, j, value
        largest = float(stored[:, 1].max())
        if 0 <= largest < 1e6 and largest == int(largest):
            return int(largest) + 1
    if stored.ndim == 2:
        return int(stored.shape[1])
    if stored.ndim == 1 and stored.size % _USUAL_INPUTS == 0:
        return stored.size // _USUAL_INPUTS
    raise ArtefactError(
        f"{path}: found shape {stored.shape}, and without thresholds beside it nothing tells the number of neurons; "
        f"expected [n_input, n_e]: a = numpy.load({path.name!r}); numpy.save({path.name!r}, a.reshape(n_input, n_e))"
    )


def align_at_end(
    counts: NDArray[Any], labels: NDArray[Any], where: Path
) -> tuple[NDArray[Any], NDArray[Any], tuple[str, ...]]:
    """Return counts and labels of the same examples, and what to say: the script may keep all labels but few counts.

    Example j is kept in row `j % len(counts)`, so that the rows are those of the last examples, in order if the number
    of examples is a multiple of them.
    """
    rows, num = counts.shape[0] if counts.ndim else 0, labels.shape[0] if labels.ndim else 0
    if labels.ndim != 1 or not 0 < rows < num:
        return counts, labels, ()
    last = np.arange(num - rows, num)
    turned = "" if num % rows == 0 else f"; example j is row j % {rows:,}, as the script writes them"
    note = (
        f"{where}: holds the counts of the last {rows:,} of {num:,} examples (the script's update_interval); they are "
        f"scored with the last {rows:,} labels{turned}"
    )
    return counts[last % rows], labels[last], (note,)
