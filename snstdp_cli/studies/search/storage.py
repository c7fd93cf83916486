"""Where the trials of a search are kept: a journal in the study's folder, or a database; `optuna-dashboard` opens both.

    optuna-dashboard studies/<name>/search.journal

What shapes the accuracy of a trial (base, space, read-out) is in the name of Optuna's study: after a change the trials
of before are kept, and not mixed with the new ones.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AllowInfNan, TypeAdapter

from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.fields import printable
from snstdp_cli.studies.extras import require_extra
from snstdp_cli.studies.search.sampling import make_pruner, quiet_optuna
from snstdp_cli.studies.search.settings import SearchSettings

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

JOURNAL = "search.journal"
#: User attributes of a trial: its settings as they were run, why its cell failed, how often it was begun, who runs it.
SETTINGS, ERROR, ATTEMPT, WORKER = "settings", "error", "attempt", "worker"
#: So often settings are tried whose trial is interrupted again and again; then it counts as failed.
MOST_ATTEMPTS = 5
_Finite = Annotated[float, AllowInfNan(False)]
_Plain = bool | int | _Finite | str | None
#: `interrupted`: under way when its process was ended; the next one that works on the search tries it again.
TrialState = Literal["finished", "pruned", "failed", "running", "interrupted"]


@dataclass(frozen=True)
class SearchTrial:
    """One attempt of a search.

    Attributes
    ----------
    settings
        What was searched, by dotted key; a rule's parameters as far as it has them.
    value
        Accuracy on validation images; of a pruned trial the latest one of its learning curve, None before there is
        one.
    curve
        Points of its learning curve: examples and accuracy.
    error
        Why it failed, in a sentence.
    """

    number: int
    settings: Mapping[str, _Plain]
    value: _Finite | None
    state: TrialState
    curve: tuple[tuple[int, _Finite], ...] = ()
    error: str | None = None


#: Optuna checks nothing of what a storage says.
_TRIAL = TypeAdapter(tuple[int, dict[str, _Plain], _Finite | None, tuple[tuple[int, _Finite], ...], str | None])


def open_storage(folder: Path, url: str | None = None, *, mend: bool = True) -> optuna.storages.BaseStorage:
    """Open the storage of a search, which is made if need be.

    Parameters
    ----------
    folder
        The study's folder, for the journal.
    url
        A database in its place, as SQLAlchemy writes it, such as `sqlite:///trials.db`.
    mend
        Cut off a line that a killed process did not finish; only while nobody else works on the search.

    Raises
    ------
    ConfigError
        If Optuna is not installed, or there is no such database.
    ArtefactError
        If the journal is damaged or cannot be written.
    """
    require_extra("optuna", "study")
    import optuna

    path = folder / JOURNAL
    with quiet_optuna():
        if url is not None:
            try:
                return optuna.storages.RDBStorage(url)
            except Exception as error:  # every driver has its own classes
                told = " ".join(str(error).split())[:300]
                raise ConfigError(f"--storage: the database cannot be opened: {told}") from None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _refuse_foreign(path)
            if mend:
                _drop_half_a_line(path)
            return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
        except OSError as error:
            raise ArtefactError(f"{path}: {error.strerror or error}; check the folder") from None
        except Exception as error:  # Optuna raises whatever its parsing meets
            raise _damaged(str(path), error) from None


def open_trials(storage: optuna.storages.BaseStorage, name: str, settings: SearchSettings) -> optuna.Study:
    """Return Optuna's study of a name, made if need be, with the pruner of the settings."""
    import optuna

    with quiet_optuna():
        try:
            study = optuna.create_study(
                storage=storage,
                study_name=name,
                direction="maximize",
                load_if_exists=True,
                pruner=make_pruner(settings),
            )
        except Exception as error:
            raise _damaged(JOURNAL, error) from None
    read_trials(study)
    return study


def read_storage(folder: Path, name: str, url: str | None = None) -> optuna.Study | None:
    """Return Optuna's study of a name to look at; None if there is none.

    Raises
    ------
    SnstdpError
        If the storage cannot be read.
    """
    import optuna

    storage = open_storage(folder, url, mend=False)
    with quiet_optuna():
        try:
            names = [one.study_name for one in optuna.get_all_study_summaries(storage)]
            return optuna.load_study(study_name=name, storage=storage) if name in names else None
        except Exception as error:
            raise _damaged(str(folder / JOURNAL), error) from None


def read_trials(study: optuna.Study, is_alive: Callable[[str], bool] = lambda _: True) -> tuple[SearchTrial, ...]:
    """Return the trials of a search in their order, without those that were interrupted and are tried again.

    Parameters
    ----------
    is_alive
        Tells whether the process of this name still works on the search; a trial that another left is `interrupted`.

    Raises
    ------
    ArtefactError
        If the storage holds what no search wrote.
    """
    try:
        trials = study.get_trials(deepcopy=False)
        found = [one for trial in trials if (one := _read_trial(trial, is_alive)) is not None]
        for one in found:
            _TRIAL.validate_python((one.number, one.settings, one.value, one.curve, one.error), strict=True)
        return tuple(found)
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
        raise _damaged(JOURNAL, error) from None


def importances(study: optuna.Study) -> dict[str, float]:
    """Return how much each setting mattered for being among the best trials, from 0 to 1, in falling order.

    Nothing for a few trials.

    By PED-ANOVA (Watanabe, Bansal, Hutter 2023, doi:10.24963/ijcai.2023/488).
    """
    import optuna

    with quiet_optuna():
        try:
            evaluator = optuna.importance.PedAnovaImportanceEvaluator()
            found = optuna.importance.get_param_importances(study, evaluator=evaluator)
            # Equal ones by name: the library has them in no order.
            return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))
        except Exception:  # too few trials, or all alike, or numbers that no search wrote
            return {}


def is_counted(trial: FrozenTrial) -> bool:
    """Tell whether a trial came to an end of its own: finished, pruned, or failed because its settings do."""
    if trial.state.name == "FAIL":
        return ERROR in trial.user_attrs or trial.user_attrs.get(ATTEMPT, 1) >= MOST_ATTEMPTS
    return trial.state.name in ("COMPLETE", "PRUNED")


def _read_trial(trial: FrozenTrial, is_alive: Callable[[str], bool]) -> SearchTrial | None:
    states: dict[str, TrialState] = {"COMPLETE": "finished", "PRUNED": "pruned", "RUNNING": "running", "FAIL": "failed"}
    state = states.get(trial.state.name)
    if state is None or not (is_counted(trial) or state == "running"):
        return None
    if state == "running" and not is_alive(str(trial.user_attrs.get(WORKER, ""))):
        state = "interrupted"
    curve = tuple(sorted(trial.intermediate_values.items()))
    value = trial.value if trial.state.name == "COMPLETE" else curve[-1][1] if curve else None
    return SearchTrial(
        number=trial.number,
        settings=dict(trial.user_attrs.get(SETTINGS, trial.params)),
        value=value,
        state=state,
        curve=curve,
        error=_error_of(trial),
    )


def _error_of(trial: FrozenTrial) -> str | None:
    if trial.state.name != "FAIL":
        return None
    return str(trial.user_attrs.get(ERROR, f"was interrupted {MOST_ATTEMPTS} times, or another process runs it"))


def _damaged(where: str, error: Exception) -> ArtefactError:
    told = printable(" ".join(str(error).split()), 300) or type(error).__name__
    return ArtefactError(
        f"{where}: the journal of the search is damaged ({told}); move it away to begin the search again: finished "
        "cells are kept, and are not run twice"
    )


def _refuse_foreign(path: Path) -> None:
    """Refuse what is no regular file: a link would lead the next line into another file, a pipe has no end."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise ArtefactError(f"{path}: expected a file, found a link, a folder, a pipe or a device; move it away")


def _drop_half_a_line(path: Path) -> None:
    """Cut off what a killed process did not finish writing: the next line would be written behind it."""
    try:
        with path.open("rb+") as stream:
            content = stream.read()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                stream.truncate(whole)
                stream.flush()
                os.fsync(stream.fileno())
    except FileNotFoundError:
        return
