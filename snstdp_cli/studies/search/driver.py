"""Search for the best settings by ask and tell: this process proposes, somebody else runs, a storage remembers.

Whoever runs the trials takes proposals when there is room for one, so that each is made with all that is known by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from snstdp_cli.config import Experiment
from snstdp_cli.studies.axes import Assignment
from snstdp_cli.studies.search.sampling import make_sampler, propose, quiet_optuna
from snstdp_cli.studies.search.settings import SearchSettings
from snstdp_cli.studies.search.space import Space, base_values
from snstdp_cli.studies.search.storage import (
    ATTEMPT,
    ERROR,
    MOST_ATTEMPTS,
    SETTINGS,
    WORKER,
    SearchTrial,
    is_counted,
    read_trials,
)
from snstdp_cli.studies.search.workers import SearchWorker

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Proposal:
    """Settings to be tried, by dotted key, over those of the base."""

    number: int
    settings: Assignment


@dataclass(frozen=True)
class TrialEnd:
    """How a trial ended: with an accuracy, with a sentence why it failed, or with neither: it was stopped.

    Attributes
    ----------
    accuracy
        By the search's read-out.
    scored_on
        Which images the accuracy is of; a search takes only `validation`.
    """

    proposal: Proposal
    accuracy: float | None = None
    error: str | None = None
    scored_on: str = "validation"


class TrialRunner(Protocol):
    """Runs trials side by side, in this process or elsewhere."""

    def run(self, proposals: Iterable[Proposal | None], tick: Callable[[], None]) -> Iterator[TrialEnd]:
        """Yield how trials end; a proposal is taken when there is room for it.

        None among the proposals stands for: none just now, ask again a little later. Closing the iterator ends what
        runs. `tick` is called about twice a second.
        """
        ...

    def curve(self, proposal: Proposal) -> Sequence[tuple[int, float]]:
        """Return the points (examples, accuracy) of a trial's learning curve so far."""
        ...

    def stop(self, proposal: Proposal) -> None:
        """Ask a running trial to end soon, without an accuracy."""
        ...


def _ignore(_: object) -> None:
    """Do nothing."""


@dataclass
class Search:
    """A search while it runs.

    Attributes
    ----------
    trials
        Optuna's study, in which all is kept.
    base
        What the proposals are changes of.
    ended
        Called with each trial that came to an end.
    worker
        This process as one of those that work on the search.
    """

    trials: optuna.Study
    settings: SearchSettings
    space: Space
    base: Experiment
    ended: Callable[[SearchTrial], None] = field(default=_ignore)
    worker: SearchWorker = field(default_factory=SearchWorker)
    _running: dict[int, tuple[Proposal, optuna.Trial]] = field(default_factory=dict)
    _reported: dict[int, set[int]] = field(default_factory=dict)
    _pruned: set[int] = field(default_factory=set)

    def run(self, runner: TrialRunner) -> tuple[SearchTrial, ...]:
        """Run the trials that are left, and return all there are.

        What is interrupted, here or by a kill in an earlier session, is tried again with the same settings.
        """
        with quiet_optuna():
            try:
                with closing(runner.run(self._proposals(), lambda: self._watch(runner))) as ends:  # type: ignore[type-var]
                    for end in ends:
                        self._tell(end, runner)
            finally:
                for _, trial in list(self._running.values()):
                    self._requeue(trial, counts=False)
            return read_trials(self.trials)

    def _proposals(self) -> Iterator[Proposal | None]:
        """Yield what is to be tried; None while as many trials are under way as `parallel` allows."""
        while (trial := self._take()) != "none left":
            if trial == "no room":
                yield None
                continue
            proposal = Proposal(trial.number, trial.user_attrs[SETTINGS])
            self._running[trial.number] = (proposal, trial)
            known = self._finished_with(proposal.settings)
            if known is not None:  # the same network would come out
                self._finish(proposal, known.value, known.curve)
                continue
            yield proposal

    def _take(self) -> optuna.Trial | Literal["none left", "no room"]:
        """Take the next trial, unless as many as were asked for are done or under way, here or elsewhere."""
        with self.worker.turn():
            self._recover()
            before = self.trials.get_trials(deepcopy=False)
            under_way = sum(trial.state.name == "RUNNING" for trial in before)
            if sum(map(is_counted, before)) + under_way >= self.settings.trials:
                return "none left"
            if self.settings.parallel is not None and under_way >= self.settings.parallel:
                return "no room"
            if not before and self.settings.try_base and (values := base_values(self.space, self.base)) is not None:
                self.trials.enqueue_trial(values)
            self.trials.sampler = make_sampler(self.settings, len(before))
            trial = self.trials.ask()
            trial.set_user_attr(WORKER, self.worker.name)
            trial.set_user_attr(SETTINGS, propose(trial, self.space, self.base.rule.name))
            return trial

    def _recover(self) -> None:
        """Requeue what a process left running that is gone."""
        for trial in self.trials.get_trials(deepcopy=False):
            if trial.state.name == "RUNNING" and trial.number not in self._running:
                owner = str(trial.user_attrs.get(WORKER, ""))
                if owner == self.worker.name or not self.worker.is_alive(owner):
                    self._requeue(trial, counts=False)

    def _finished_with(self, settings: Assignment) -> SearchTrial | None:
        same = (one for one in read_trials(self.trials) if one.state == "finished" and one.settings == settings)
        return next(same, None)

    def _watch(self, runner: TrialRunner) -> None:
        """Report the learning curves, and stop trials that promise little."""
        for number, (proposal, trial) in self._running.items():
            if number in self._pruned or not self._report(trial, runner.curve(proposal)):
                continue
            if trial.should_prune():
                self._pruned.add(number)
                runner.stop(proposal)

    def _report(self, trial: optuna.Trial, curve: Sequence[tuple[int, float]]) -> bool:
        """Report points that are new; tell whether there was one."""
        known = self._reported.setdefault(trial.number, set())
        new = [(examples, accuracy) for examples, accuracy in curve if examples not in known]
        for examples, accuracy in new:
            known.add(examples)
            trial.report(accuracy, examples)
        return bool(new)

    def _tell(self, end: TrialEnd, runner: TrialRunner) -> None:
        proposal = end.proposal
        if end.accuracy is not None:
            if end.scored_on != "validation":
                raise ValueError(f"expected an accuracy on validation images, found one on {end.scored_on} images")
            self._finish(proposal, end.accuracy, runner.curve(proposal))
        elif proposal.number in self._pruned and end.error is None:
            self._close(proposal, "PRUNED")
        elif end.error is not None:
            self._fail(proposal, end.error)
        else:
            self._requeue(self._running[proposal.number][1], counts=True)

    def _finish(self, proposal: Proposal, accuracy: float | None, curve: Sequence[tuple[int, float]]) -> None:
        self._report(self._running[proposal.number][1], curve)
        self._close(proposal, "COMPLETE", accuracy)

    def _fail(self, proposal: Proposal, error: str) -> None:
        self._running[proposal.number][1].set_user_attr(ERROR, error[:2000])
        self._close(proposal, "FAIL")

    def _requeue(self, trial: optuna.Trial | optuna.trial.FrozenTrial, *, counts: bool) -> None:
        """Take note that a trial was interrupted; its settings are tried again.

        Parameters
        ----------
        counts
            Whether this is one of the few times that settings are tried again; a search that was interrupted itself is
            none.
        """
        attempt = trial.user_attrs.get(ATTEMPT, 1)
        self._running.pop(trial.number, None)
        self.trials.tell(trial.number, state=_state("FAIL"))
        if not counts or attempt < MOST_ATTEMPTS:
            self.trials.enqueue_trial(trial.params, user_attrs={ATTEMPT: attempt + counts})

    def _close(self, proposal: Proposal, state: str, accuracy: float | None = None) -> None:
        del self._running[proposal.number]
        self.trials.tell(proposal.number, accuracy, state=_state(state))
        self.ended(next(one for one in read_trials(self.trials) if one.number == proposal.number))


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]
