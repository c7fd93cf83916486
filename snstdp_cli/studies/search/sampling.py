"""Optuna's side of a search: distributions, samplers, pruners, and what a trial proposes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from snstdp_cli.studies.axes import Assignment
from snstdp_cli.studies.extras import require_extra
from snstdp_cli.studies.search.settings import SearchSettings
from snstdp_cli.studies.search.space import RULE, Choices, Range, Space, applies

if TYPE_CHECKING:
    import optuna

#: Digits of a proposed number: so many are written down, and so many are run.
DIGITS = 6
#: Trials before a sampler that learns begins to, and before any is ended early.
_STARTUP = 8


def make_sampler(settings: SearchSettings, trials_before: int) -> optuna.samplers.BaseSampler:
    """Return who proposes.

    Parameters
    ----------
    trials_before
        Trials that the storage holds already: each draws other numbers, whichever process asks for it.
    """
    import optuna

    for sampler, package in (("qmc", "scipy"), ("cmaes", "cmaes")):
        if settings.sampler == sampler:
            require_extra(package, "study")
    with quiet_optuna():
        if settings.sampler == "qmc":  # counts its points in the storage, for one seed
            return optuna.samplers.QMCSampler(scramble=True, seed=settings.seed, warn_independent_sampling=False)
        seed = int(np.random.SeedSequence([settings.seed, trials_before]).generate_state(1)[0])
        if settings.sampler == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        if settings.sampler == "cmaes":
            return optuna.samplers.CmaEsSampler(
                n_startup_trials=_STARTUP, seed=seed, warn_independent_sampling=False, consider_pruned_trials=True
            )
        return optuna.samplers.TPESampler(
            n_startup_trials=_STARTUP, multivariate=True, group=True, constant_liar=True, seed=seed
        )


def make_pruner(settings: SearchSettings) -> optuna.pruners.BasePruner:
    """Return who decides which trials end early."""
    import optuna

    if settings.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=_STARTUP)
    if settings.pruner == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(reduction_factor=3)
    return optuna.pruners.NopPruner()


def propose(trial: optuna.Trial, space: Space, rule: str) -> Assignment:
    """Return the settings of a trial.

    Parameters
    ----------
    rule
        The rule where none is searched; a parameter that the trial's rule does not have is left out.
    """
    found: Assignment = {}
    for key, dimension in space.items():
        if applies(key, found.get(RULE, rule)):
            found[key] = _suggest(trial, key, dimension)
    return found


def _suggest(trial: optuna.Trial, key: str, dimension: Range | Choices) -> Any:
    if isinstance(dimension, Choices):
        return trial.suggest_categorical(key, list(dimension.values))
    log = dimension.scale == "log"
    if dimension.whole:
        return trial.suggest_int(key, int(dimension.low), int(dimension.high), log=log)
    value = trial.suggest_float(key, dimension.low, dimension.high, log=log)
    return min(max(float(f"{value:.{DIGITS}g}"), dimension.low), dimension.high)


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from printing: what matters is told by us."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)
