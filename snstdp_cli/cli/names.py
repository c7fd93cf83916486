"""Names of networks: which there are, which was perhaps meant, and what a file about several is called."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from snstdp_cli.cli.hints import next_command
from snstdp_cli.config import check_name
from snstdp_cli.errors import ArtefactError, ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.datasets import Part

#: `artefacts.UNNAMED`, known here as well so that a wrong name is refused before anything heavy is imported.
UNNAMED = "XeAe"
#: More names than this in a list or in a file's name help nobody.
_MAX_LISTED, _MAX_JOINED = 8, 3


def checked(name: str, flag: str) -> str:
    """Refuse a name that is not a plain file-name stem."""
    try:
        return check_name(name)
    except ValueError as error:
        unnamed = f"; weights without a name ({UNNAMED}.npy, theta_A.npy) are called {UNNAMED} here" if not name else ""
        raise ConfigError(f"{flag}: {error}; found {name[:60]!r}{unnamed}") from None


def known_names(names: list[str], flag: str, workdir: Workdir, *, recorded: Part | None = None) -> list[str]:
    """Return names of networks of which there are weights or recordings, each once; without any, the only one there is.

    Parameters
    ----------
    recorded
        Choose among networks with recorded responses to this part of a data set only.

    Raises
    ------
    ConfigError, ArtefactError
        For a name that cannot be one, that nothing has, or that would be a guess.
    """
    from snstdp_cli.artefacts import list_recorded, list_weights

    choices = [] if recorded is None else list_recorded(workdir, recorded)
    known = sorted({*list_weights(workdir), *list_recorded(workdir), *choices})
    for name in names:
        if name not in known:
            raise ArtefactError(no_weights(checked(name, flag), known, workdir))
    if names:
        return list(dict.fromkeys(names))
    choices = known if recorded is None else choices
    if len(choices) > 1:
        raise ConfigError(f"name the network: {_listed(choices)}")
    if not choices and recorded:
        raise ArtefactError(
            f"{workdir.activity}: no responses are recorded; record some first: snstdp test --load-name NAME --split "
            f"train, then --split {recorded}"
        )
    if not choices:
        raise ArtefactError(f"{workdir.weights}: no weights{_hint('', [])}")
    return choices


def known_name(names: list[str], flag: str, workdir: Workdir) -> str:
    """Return the one network of these names, or the only one there is; see `known_names`.

    Raises
    ------
    ConfigError, ArtefactError
        As `known_names`, and for several names.
    """
    chosen = known_names(names, flag, workdir)
    if len(chosen) > 1:
        raise ConfigError(f"{flag}: expected one network, found {_listed(chosen)}")
    return chosen[0]


def require_recordings(workdir: Workdir, name: str, splits: Iterable[Part], data_dir: Path | None = None) -> None:
    """Refuse a network without recordings, with the command that makes them.

    Parameters
    ----------
    data_dir
        Where the images are, if the user said so.
    """
    from snstdp_cli.artefacts import list_recordings

    for split in splits:
        if not list_recordings(workdir, name, split):
            command = next_command("test", load_name=name, split=split, data_dir=data_dir, workdir=workdir.root)
            raise ArtefactError(
                f"{workdir.activity}: no responses of '{name}' to the {split} split are recorded; record them: "
                f"{command}"
            )


def no_weights(name: str, known: list[str], workdir: Workdir) -> str:
    """Return the sentence for a name that nothing has."""
    return f"{workdir.weights}: no weights named '{name}'{_hint(name, known)}"


def joined(names: list[str]) -> str:
    """Return the part of a file's name that says which networks it is about."""
    stem = "_vs_".join(names[:_MAX_JOINED])
    stem += f"_and_{len(names) - _MAX_JOINED}_more" if len(names) > _MAX_JOINED else ""
    return stem if len(stem) <= 200 else f"{names[0]}_and_{len(names) - 1}_more"


def _hint(name: str, known: list[str]) -> str:
    if close := difflib.get_close_matches(name, known, n=1):
        return f"; did you mean '{close[0]}'?"
    if known:
        return f"; there are: {_listed(known)}"
    return "; train a network first (snstdp train), or name another folder by --workdir"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_MAX_LISTED]) + (", ..." if len(names) > _MAX_LISTED else "")
