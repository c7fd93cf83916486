"""Run the search of a study file to its end, and write down the best settings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from snstdp_cli.artefacts import require_writable, write_atomic
from snstdp_cli.config import Experiment, commented_yaml, fingerprint
from snstdp_cli.datasets import sealed_test_images
from snstdp_cli.errors import ConfigError, InterruptedRunError
from snstdp_cli.rules import only_rule_files
from snstdp_cli.studies.cell import Cell, build_cell, cell_id
from snstdp_cli.studies.executors.base import CellExecutor
from snstdp_cli.studies.plan import Study, allowed_rules
from snstdp_cli.studies.search.cells import CellRunner
from snstdp_cli.studies.search.driver import Search
from snstdp_cli.studies.search.events import SearchReporter
from snstdp_cli.studies.search.settings import SearchSettings
from snstdp_cli.studies.search.space import RULE, Choices, Space, base_values, describe_space, outside_space, read_space
from snstdp_cli.studies.search.storage import (
    JOURNAL,
    SearchTrial,
    importances,
    open_storage,
    open_trials,
    read_storage,
    read_trials,
)
from snstdp_cli.studies.search.workers import SharingWorker

BEST, BEST_STUDY = "best.yaml", "best-study.yaml"
#: Seeds with which the best settings are run on the test images.
_SEEDS = 5
#: Settings that say how long a trial takes.
_SIZES = {"n_e", "num_examples"}


@dataclass(frozen=True)
class SearchPlan:
    """A search as a study file has it, checked.

    Attributes
    ----------
    base
        The experiment that proposals are changes of.
    """

    settings: SearchSettings
    space: Space
    base: Experiment

    @property
    def values(self) -> dict[str, object] | None:
        """The base's own settings in the space; None if one of them lies outside it."""
        return base_values(self.space, self.base)

    @property
    def outside(self) -> dict[str, object]:
        """Those of the base's own settings that lie outside the space."""
        return outside_space(self.space, self.base)

    @property
    def rules(self) -> set[str]:
        """Names of the rules of the base and of the space."""
        searched = self.space.get(RULE)
        return {self.base.rule.name, *(map(str, searched.values) if isinstance(searched, Choices) else ())}


@dataclass(frozen=True)
class SearchResult:
    """How a search stands.

    Attributes
    ----------
    trials
        All of them, in order.
    importances
        How much each setting matters, from 0 to 1; empty for a few trials.
    files
        The best settings as an experiment and as a study over seeds on the test images; none before a trial finished.
    """

    plan: SearchPlan
    trials: tuple[SearchTrial, ...] = ()
    importances: dict[str, float] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    @property
    def best(self) -> SearchTrial | None:
        """The finished trial with the highest accuracy on validation images, the first of equals."""
        return max(self._finished, key=lambda one: (one.value or 0.0, -one.number), default=None)

    @property
    def base_trial(self) -> SearchTrial | None:
        """The finished trial with the settings of the base."""
        return next((one for one in self._finished if one.settings == self.plan.values), None)

    @property
    def ended(self) -> list[SearchTrial]:
        """The trials that need not be run again."""
        return [one for one in self.trials if one.state not in ("running", "interrupted")]

    @property
    def _finished(self) -> list[SearchTrial]:
        return [one for one in self.trials if one.state == "finished"]


def plan_search(study: Study) -> SearchPlan:
    """Check the search of a study file before anything runs.

    Raises
    ------
    ConfigError
        If there is none, a key or value cannot be used, or no validation images are withheld.
    """
    with allowed_rules(study.run_rules):
        return _plan(study, f"{study.path}: search")


def _plan(study: Study, where: str) -> SearchPlan:
    if study.file.search is None:
        raise ConfigError(f"{where}: the file has no `search`")
    settings = study.file.search
    base = build_cell(study.base, {}, study.file.seeds[0], (), where).experiment
    if not base.evaluation.validation_examples:
        raise ConfigError(
            f"{where}: trials are scored on training images that are kept for validation: set "
            "evaluation.validation_examples in the base, such as 1000"
        )
    return SearchPlan(settings, read_space(settings.space, base, f"{where}.space"), base)


def run_search(
    study: Study,
    executor: CellExecutor,
    *,
    storage: str | None = None,
    data_dir: Path | None = None,
    report: SearchReporter | None = None,
) -> SearchResult:
    """Run the trials that are left, on validation images only, and write the best settings into the study's folder.

    Several processes may do so at once, on any machines that share the folder: each trial is run by one of them.

    Parameters
    ----------
    storage
        A database for the trials in the place of the journal in the study's folder.

    Raises
    ------
    SnstdpError
        If the search cannot be run at all; `InterruptedRunError` after Ctrl-C, when everything is kept.
    """
    plan = plan_search(study)
    require_writable(study.folder)
    # The journal is a record: a rule that it names and the study does not is not run.
    worker, report = SharingWorker(study.folder), report or SearchReporter()
    with sealed_test_images(), only_rule_files(plan.rules), worker.present() as is_alone:
        with worker.turn():
            opened = open_storage(study.folder, storage, mend=is_alone)
            trials = open_trials(opened, trials_name(study, plan), plan.settings)
        report.goes_on(SearchResult(plan, read_trials(trials)).ended)
        search = Search(trials, plan.settings, plan.space, plan.base, report.ended, worker)
        runner = CellRunner(study, executor, plan.settings.read_out, data_dir=data_dir, report=report)
        try:
            search.run(runner)
        except (KeyboardInterrupt, InterruptedRunError):
            raise InterruptedRunError(
                f"interrupted; everything is kept in {study.folder}: run the same command to go on"
            ) from None
        with worker.turn():
            result = SearchResult(plan, read_trials(trials, worker.is_alive), importances(trials))
            return replace(result, files=_write_best(study, result))


def load_search(study: Study, storage: str | None = None) -> SearchResult:
    """Return how a search stands, without running or writing anything.

    Raises
    ------
    SnstdpError
        If the study file has no search, or its storage cannot be read.
    """
    plan = plan_search(study)
    if storage is None and not (study.folder / JOURNAL).exists():
        return SearchResult(plan)
    trials = read_storage(study.folder, trials_name(study, plan), storage)
    if trials is None:
        return SearchResult(plan)
    return SearchResult(plan, read_trials(trials, SharingWorker(study.folder).is_alive), importances(trials))


def largest_trials(study: Study, result: SearchResult) -> list[Cell]:
    """Return a cell for each trial that is left, as large as any of the space: what a trial takes at most.

    Raises
    ------
    ConfigError
        If that network cannot be built.
    """
    plan, ends = result.plan, dict[str, object]()
    for key in _SIZES & plan.space.keys():
        searched = plan.space[key]
        ends[key] = max(searched.values) if isinstance(searched, Choices) else int(searched.high)
    cell = build_cell(study.base, ends, study.file.seeds[0], list(ends), f"{study.path}: search.space")
    return [cell] * max(0, plan.settings.trials - len(result.ended))


def trials_name(study: Study, plan: SearchPlan) -> str:
    """Return the name of Optuna's study: another base, space or read-out begins another one beside it."""
    shaping = {"base": cell_id(plan.base), "space": describe_space(plan.space), "read_out": plan.settings.read_out}
    return f"{study.name}-{fingerprint(shaping)[:8]}"


def best_experiment(study: Study, result: SearchResult) -> Experiment | None:
    """Return the experiment with the best settings; None before a trial finished."""
    if result.best is None:
        return None
    cell = build_cell(study.base, dict(result.best.settings), study.file.seeds[0], (), "search")
    return cell.experiment.model_copy(update={"save_name": f"{study.name}_best"})


def _write_best(study: Study, result: SearchResult) -> tuple[Path, ...]:
    """Write the best settings as an experiment, and as a study that tests them with seeds."""
    experiment, best = best_experiment(study, result), result.best
    if experiment is None or best is None:
        return ()
    num = experiment.evaluation.validation_examples
    head = [
        f"Best of {len(result.trials):,} trials of the search '{study.name}': trial {best.number}, accuracy "
        f"{best.value:.4f} by {result.plan.settings.read_out} on {num:,} validation images.",
        "The best of many flatters itself: quote what comes out on the test images, with other seeds:",
        f"snstdp study run {BEST_STUDY}",
    ]
    tested = {
        "name": f"{study.name}_best",
        "about": f"The best settings of the search '{study.name}', on test images that the search never saw.",
        "base": BEST,
        "seeds": [study.file.seeds[0] + 1 + k for k in range(_SEEDS)],
        "score_on": "test",
    }
    comments = "".join(f"# {line}\n" for line in head)
    files = {
        study.folder / BEST: comments + "\n" + commented_yaml(experiment),
        study.folder / BEST_STUDY: comments + yaml.safe_dump(tested, sort_keys=False, allow_unicode=True, width=110),
    }
    for path, text in files.items():
        write_atomic(path, text.encode())
    return tuple(files)
