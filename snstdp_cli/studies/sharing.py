"""One training for all cells that differ only in what is recorded or scored: the first trains, the others copy it.

Cells of other studies in the same working folder give theirs too, and recordings that others would make alike.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from snstdp_cli.artefacts import Workdir, read_checkpoint, weights_exist, write_atomic
from snstdp_cli.artefacts.files import read_file
from snstdp_cli.artefacts.locks import LockedError, hold_lock
from snstdp_cli.errors import ArtefactError
from snstdp_cli.studies.cell import CELL_NAME

#: Below the study's folder: for each shared training a lock, and the name of the cell that has it.
_FOLDER = "trainings"
_ASK_S = 0.5
_MAX_NAME = 100
#: A cell is named by a fingerprint.
_CELL = re.compile(r"[0-9a-f]{16}")


@contextmanager
def training_shared(folder: Path, key: str, fits: Callable[[Path], bool]) -> Iterator[None]:
    """Copy the weights of another cell with this training, or hold a lock while the body makes them.

    Parameters
    ----------
    folder
        The cell's working folder, `studies/STUDY/cells/CELL`.
    key
        Key of the training.
    fits
        Tells of another cell's folder whether its weights are those that the body would make: the key knows images by
        their name only.
    """
    mark = folder.parents[1] / _FOLDER / key
    with ExitStack() as held:
        if not _is_trained(folder):
            _wait_for(held, mark.with_suffix(".lock"))
            donor = next((one for one in _donors(folder, key) if _is_trained(one) and fits(one)), None)
            if donor is not None:
                _copy_weights(donor, folder)
                held.close()
        yield
        write_atomic(mark, folder.name.encode())


def share_recordings(folder: Path, key: str, names: Iterable[str]) -> None:
    """Copy recordings that are not there yet from other cells with this training.

    Parameters
    ----------
    folder
        The cell's working folder.
    key
        Key of the training.
    names
        Files of recordings; whoever uses one checks that it is the one meant, and intact.
    """
    activity = Workdir(folder).activity
    for name in names:
        if not (activity / name).exists():
            kept = (Workdir(donor).activity / name for donor in _donors(folder, key))
            file = next((path for path in kept if path.is_file() and not path.is_symlink()), None)
            if file is not None:
                write_atomic(activity / name, file.read_bytes())


def _donors(folder: Path, key: str) -> Iterator[Path]:
    """Find the cells that have a training: of this study, then of those beside it."""
    study = folder.parents[1]
    for other in (study, *sorted(path for path in study.parent.iterdir() if path != study)):
        donor = _donor(other, key)
        if donor is not None and donor != folder:
            yield donor


def _donor(study: Path, key: str) -> Path | None:
    """Return the folder of the cell that a mark names; None for anything but the name of a cell of the same study."""
    try:
        name = read_file(study / _FOLDER / key, _MAX_NAME).decode("ascii")
    except (ArtefactError, ValueError):
        return None
    donor = study / "cells" / name
    return donor if _CELL.fullmatch(name) and not donor.is_symlink() else None


def _is_trained(folder: Path) -> bool:
    place = Workdir(folder)
    return weights_exist(place, CELL_NAME) and read_checkpoint(place, CELL_NAME) is None


def _wait_for(held: ExitStack, path: Path) -> None:
    while True:
        try:
            held.enter_context(hold_lock(path))
        except LockedError:
            time.sleep(_ASK_S)
        else:
            return


def _copy_weights(donor: Path, folder: Path) -> None:
    """Copy weights with snapshots; the arrays last, without which there are no weights."""
    source, target = Workdir(donor).weights, Workdir(folder).weights
    files = sorted(
        (path for path in source.rglob("*") if path.is_file() and not path.name.startswith(".")),
        key=lambda path: path.suffix == ".npy" and path.parent == source,
    )
    for path in files:
        write_atomic(target / path.relative_to(source), path.read_bytes())
