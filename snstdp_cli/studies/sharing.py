"""One training for all cells that differ only in what is recorded or scored: the first trains, the others copy it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
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
def training_shared(folder: Path, key: str | None) -> Iterator[None]:
    """Copy the weights of another cell with this training, or hold a lock while the body makes them.

    Parameters
    ----------
    folder
        The cell's working folder, beside those of the other cells.
    key
        Key of the training; None for one that no other cell has.
    """
    with ExitStack() as held:
        if key is not None and not _is_trained(folder):
            mark = folder.parent.parent / _FOLDER / key
            _wait_for(held, mark.with_suffix(".lock"))
            donor = _donor(folder, mark)
            if donor is not None and _is_trained(donor):
                _copy_weights(donor, folder)
                held.close()
        yield
        if key is not None:
            write_atomic(folder.parent.parent / _FOLDER / key, folder.name.encode())


def _donor(folder: Path, mark: Path) -> Path | None:
    """Return the folder of the cell that a mark names; None for anything but the name of a cell beside this one."""
    try:
        name = read_file(mark, _MAX_NAME).decode("ascii")
    except (ArtefactError, ValueError):
        return None
    donor = folder.parent / name
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
