"""Searches by ask and tell with a fake runner: what is proposed, kept, pruned, interrupted and gone on with."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna")

from snstdp_cli.config import build_experiment
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.studies.search.driver import Proposal, Search, TrialEnd
from snstdp_cli.studies.search.sampling import quiet_optuna
from snstdp_cli.studies.search.settings import SearchSettings
from snstdp_cli.studies.search.space import read_space
from snstdp_cli.studies.search.storage import (
    JOURNAL,
    SearchTrial,
    importances,
    open_storage,
    open_trials,
    read_storage,
    read_trials,
)

SPACE: dict[str, Any] = {
    "rule.eta": {"from": 0.001, "to": 0.1, "scale": "log"},
    "network.w_inh_exc": {"from": 5, "to": 30},
}
BASE = build_experiment({"rule": "smin", "n_e": 100})


def accuracy_of(settings: dict[str, Any]) -> float:
    """Be best at eta 0.02 and inhibition 10."""
    eta, inhibition = settings.get("rule.eta", 0.02), settings.get("network.w_inh_exc", 10)
    return max(0.1, 0.9 - 0.2 * math.log10(eta / 0.02) ** 2 - 0.001 * (inhibition - 10) ** 2)


class FakeRunner:
    """Runs up to `slots` trials side by side, a tick each, and remembers what it was given."""

    def __init__(self, slots: int = 1, accuracy: Callable[[dict[str, Any]], float] = accuracy_of) -> None:
        self.slots, self.accuracy = slots, accuracy
        self.ran: list[Proposal] = []
        self.stopped: set[int] = set()
        self.most_at_once = 0

    def run(self, proposals: Iterable[Proposal | None], tick: Callable[[], None]) -> Iterator[TrialEnd]:
        waiting, running = iter(proposals), list[Proposal]()
        while True:
            while len(running) < self.slots and (one := next(waiting, None)) is not None:  # none, or none just now
                self.ran.append(one)
                running.append(one)
            if not running:
                return
            self.most_at_once = max(self.most_at_once, len(running))
            tick()
            yield self.end(running.pop(0))

    def end(self, proposal: Proposal) -> TrialEnd:
        if proposal.number in self.stopped:
            return TrialEnd(proposal)
        return TrialEnd(proposal, self.accuracy(proposal.settings))

    def curve(self, proposal: Proposal) -> Sequence[tuple[int, float]]:
        value = self.accuracy(proposal.settings)
        return [(100, 0.5 * value), (200, 0.8 * value)]

    def stop(self, proposal: Proposal) -> None:
        self.stopped.add(proposal.number)


def search(folder: Path, space: dict[str, Any] | None = None, **settings: Any) -> Search:
    chosen = SearchSettings.model_validate({"space": space or SPACE, "trials": 12, "pruner": "none", **settings})
    trials = open_trials(open_storage(folder), "fake", chosen)
    return Search(trials, chosen, read_space(chosen.space, BASE, "search.space"), BASE)


def best(trials: Sequence[SearchTrial]) -> SearchTrial:
    return max((one for one in trials if one.state == "finished"), key=lambda one: one.value or 0)


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_each_sampler_finds_something_better_than_the_base_which_is_tried_first(tmp_path: Path, sampler: str) -> None:
    runner = FakeRunner()
    found = search(tmp_path, sampler=sampler, trials=25).run(runner)
    assert len(found) == len(runner.ran) == 25
    assert found[0].settings == {"rule.eta": 0.01, "network.w_inh_exc": 17.0}
    assert {one.state for one in found} == {"finished"}
    assert (best(found).value or 0) > (found[0].value or 0)
    for one in found:
        assert 0.001 <= one.settings["rule.eta"] <= 0.1
        assert 5 <= one.settings["network.w_inh_exc"] <= 30
        assert float(f"{one.settings['rule.eta']:.6g}") == one.settings["rule.eta"]


def test_a_parameter_is_searched_where_the_rule_of_the_trial_has_it(tmp_path: Path) -> None:
    space = {
        "rule.positive_share": {"from": 0.2, "to": 0.8},
        "rule": ["smin", "smax", "triplet"],
        "rule.eta": {"from": 0.001, "to": 0.1, "scale": "log"},
    }
    found = search(tmp_path, space, trials=20).run(FakeRunner())
    for one in found:
        has = {"smin": {"rule.positive_share", "rule.eta"}, "smax": {"rule.eta"}, "triplet": set()}
        assert one.settings.keys() == {"rule", *has[one.settings["rule"]]}
        build_experiment(BASE, one.settings)
    assert {one.settings["rule"] for one in found} == {"smin", "smax", "triplet"}


def test_whole_settings_get_whole_numbers_and_choices_stay_what_they_are(tmp_path: Path) -> None:
    space = {
        "n_e": {"from": 10, "to": 40, "scale": "log"},
        "order": ["as_is", "shuffled"],
        "rule.scaling": ["lagged", "instantaneous"],
    }
    for one in search(tmp_path, space).run(FakeRunner()):
        assert isinstance(one.settings["n_e"], int)
        assert one.settings["order"] in ("as_is", "shuffled")
        build_experiment(BASE, one.settings)


def test_trials_run_side_by_side_and_no_more_than_were_asked_for(tmp_path: Path) -> None:
    runner = FakeRunner(slots=4)
    found = search(tmp_path, trials=10).run(runner)
    assert (len(found), runner.most_at_once) == (10, 4)
    assert len({tuple(one.settings.values()) for one in found}) == 10


def test_no_more_trials_are_under_way_than_parallel_says(tmp_path: Path) -> None:
    runner = FakeRunner(slots=4)
    found = search(tmp_path, trials=7, parallel=2).run(runner)
    assert (len(found), runner.most_at_once) == (7, 2)


def test_a_search_goes_on_where_it_stands_and_draws_no_number_again(tmp_path: Path) -> None:
    for sampler in ("random", "tpe", "qmc"):
        folder = tmp_path / sampler
        search(folder, sampler=sampler, trials=5).run(FakeRunner())
        runner = FakeRunner()
        found = search(folder, sampler=sampler, trials=9).run(runner)
        assert (len(found), len(runner.ran)) == (9, 4)
        assert len({tuple(one.settings.values()) for one in found}) == 9
        assert search(folder, sampler=sampler, trials=9).run(runner) == found
        assert len(runner.ran) == 4


def test_the_same_seed_makes_the_same_proposals(tmp_path: Path) -> None:
    first, second, other = (
        [one.settings for one in search(tmp_path / f"{k}", seed=seed, trials=12).run(FakeRunner())]
        for k, seed in enumerate((1, 1, 2))
    )
    assert first == second != other


# What ends otherwise


class Interrupted(FakeRunner):
    """Is interrupted in its third trial."""

    def end(self, proposal: Proposal) -> TrialEnd:
        if len(self.ran) > 3:
            raise KeyboardInterrupt
        return super().end(proposal)


def test_what_an_interrupt_left_is_tried_again_first(tmp_path: Path) -> None:
    runner = Interrupted(slots=2)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, trials=8).run(runner)
    left = [one.settings for one in runner.ran[2:]]
    assert len(left) == 2
    again = FakeRunner()
    found = search(tmp_path, trials=8).run(again)
    assert [one.settings for one in again.ran[:2]] == left
    assert len(found) == 8
    assert len(again.ran) == 6


def test_what_a_killed_process_left_is_tried_again_even_if_it_wrote_half_a_line(tmp_path: Path) -> None:
    killed = search(tmp_path, trials=8)
    proposals = killed._proposals()  # asked for, and then the process is gone
    left = [next(proposals).settings, next(proposals).settings]
    with (tmp_path / JOURNAL).open("a") as stream:
        stream.write('{"op_code": 5, "worker_')
    runner = FakeRunner()
    found = search(tmp_path, trials=8).run(runner)
    assert [one.settings for one in runner.ran[:2]] == left
    assert len(found) == 8


class Failing(FakeRunner):
    """Fails where inhibition is weak."""

    def end(self, proposal: Proposal) -> TrialEnd:
        if proposal.settings["network.w_inh_exc"] < 15:
            return TrialEnd(proposal, error="the network ran away")
        return super().end(proposal)


def test_settings_that_fail_are_kept_with_their_sentence_and_not_tried_again(tmp_path: Path) -> None:
    runner = Failing()
    found = search(tmp_path, trials=15).run(runner)
    failed = [one for one in found if one.state == "failed"]
    assert failed
    assert {one.error for one in failed} == {"the network ran away"}
    assert len(found) == len(runner.ran) == 15
    assert best(found).settings["network.w_inh_exc"] >= 15


class Busy(FakeRunner):
    """Finds that another process runs the first settings, whenever it is asked to."""

    def end(self, proposal: Proposal) -> TrialEnd:
        return TrialEnd(proposal) if proposal.settings == self.ran[0].settings else super().end(proposal)


def test_settings_that_never_come_to_an_end_do_not_hold_up_the_search(tmp_path: Path) -> None:
    runner = Busy()
    found = search(tmp_path, trials=4).run(runner)
    assert len(found) == 4
    assert (found[0].state, len(runner.ran)) == ("failed", 5 + 3)
    assert "was interrupted 5 times" in (found[0].error or "")


def test_equal_settings_are_run_once(tmp_path: Path) -> None:
    runner = FakeRunner()
    found = search(tmp_path, {"network.w_inh_exc": [10, 17]}, trials=10).run(runner)
    assert len(found) == 10
    assert len(runner.ran) == 2


# Pruning


@pytest.mark.parametrize("pruner", ["median", "halving"])
def test_trials_that_promise_little_are_stopped_early(tmp_path: Path, pruner: str) -> None:
    runner = FakeRunner()
    found = search(tmp_path, trials=30, pruner=pruner, sampler="random").run(runner)
    pruned = [one for one in found if one.state == "pruned"]
    assert 3 < len(pruned) < 29
    assert {one.number for one in pruned} == runner.stopped
    assert all(one.curve and one.value == one.curve[-1][1] for one in pruned)
    finished = [one.curve[0][1] for one in found if one.state == "finished"]
    assert sum(one.curve[0][1] for one in pruned) / len(pruned) < sum(finished) / len(finished)
    assert best(found).state == "finished"


def test_without_pruning_none_is_stopped(tmp_path: Path) -> None:
    runner = FakeRunner()
    found = search(tmp_path, trials=20, sampler="random").run(runner)
    assert not runner.stopped
    assert found[5].curve == ((100, 0.5 * (found[5].value or 0)), (200, 0.8 * (found[5].value or 0)))


# Validation images only


def test_an_accuracy_on_test_images_is_refused(tmp_path: Path) -> None:
    class OnTest(FakeRunner):
        def end(self, proposal: Proposal) -> TrialEnd:
            return TrialEnd(proposal, 0.99, scored_on="test")

    with pytest.raises(ValueError, match="expected an accuracy on validation images, found one on test images"):
        search(tmp_path).run(OnTest())


# The space and the storage


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "found nothing to search"),
        ({"rule.etaa": [1, 2]}, "unknown key 'rule.etaa'; did you mean 'rule.eta'"),
        ({"seed": [0, 1]}, "seed: seeds are an axis of their own"),
        ({"save_name": ["a", "b"]}, "save_name: affects no result"),
        ({"data": ["bundled", "mnist"]}, "data: shapes what is scored"),
        ({"evaluation.validation_examples": [10, 20]}, "shapes what is scored"),
        ({"rule": ["smax", "smin"], "rule.nu_pre": [1e-4, 1e-3]}, "unknown key 'rule.nu_pre'"),
        ({"rule": {"from": 0, "to": 1}}, "expected a list of rules"),
        ({"rule.eta": 0.01}, "expected a range such as"),
        ({"rule.eta": {"from": 0.1, "to": 0.01}}, "expected the smaller end first"),
        ({"rule.eta": {"from": 0, "to": 0.01, "scale": "log"}}, "expected ends above 0"),
        ({"rule.eta": {"from": 0.1}}, "search.space.rule.eta"),
        ({"rule.eta": {"low": 0.1, "to": 1}}, "unknown key 'low'"),
        ({"n_e": {"from": 10.5, "to": 20}}, "expected whole numbers"),
        ({"n_e": [100]}, "expected at least two choices"),
        ({"n_e": [[100], [200]]}, "expected single values"),
    ],
)
def test_a_space_that_cannot_be_searched_is_told(space: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_space(space, BASE, "search.space")


def test_a_base_outside_the_space_is_not_tried(tmp_path: Path) -> None:
    found = search(tmp_path, {"rule.eta": {"from": 0.05, "to": 0.1}}, trials=3).run(FakeRunner())
    assert all(one.settings["rule.eta"] >= 0.05 for one in found)


def test_a_damaged_journal_is_told(tmp_path: Path) -> None:
    search(tmp_path, trials=3).run(FakeRunner())
    path = tmp_path / JOURNAL
    path.write_bytes(b"nonsense\n" + path.read_bytes())
    with pytest.raises(ArtefactError, match=r"search.journal: the journal of the search is damaged .*move it away"):
        search(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"value": "0.5"},
        {"value": {}},
        {"value": float("nan")},
        {"user_attrs": "text"},
        {"user_attrs": {"settings": 5}},
        {"user_attrs": {"settings": {"rule.eta": [1]}}},
        {"user_attrs": {"settings": {"rule.eta": 10**400}}, "params": {"rule.eta": 10**400}},
        {"intermediate_values": {"5": "many"}},
        {"intermediate_values": 7},
    ],
    ids=str,
)
def test_an_edited_journal_is_told(tmp_path: Path, change: dict[str, Any]) -> None:
    import optuna

    with quiet_optuna():
        trials = open_trials(open_storage(tmp_path), "a", SearchSettings.model_validate({"space": SPACE, "trials": 4}))
        for value in (0.5, 0.6):
            attributes = {"settings": {"rule.eta": value}}
            trials.add_trial(optuna.trial.create_trial(value=value, user_attrs=attributes))
    lines = [json.loads(line) for line in (tmp_path / JOURNAL).read_text().splitlines()]
    lines[-1].update(change)
    (tmp_path / JOURNAL).write_text("".join(json.dumps(line) + "\n" for line in lines))

    def look() -> None:
        found = read_storage(tmp_path, "a")
        assert found is not None
        importances(found)
        read_trials(found)

    with pytest.raises(ArtefactError, match=r"the journal of the search is damaged"):
        look()


@pytest.mark.parametrize("mend", [True, False])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_journal_that_is_no_file_is_refused(tmp_path: Path, kind: str, *, mend: bool) -> None:
    other, journal = tmp_path / "other.txt", tmp_path / JOURNAL
    other.write_text("a line\nhalf a line")
    {"link": lambda: journal.symlink_to(other), "pipe": lambda: os.mkfifo(journal), "folder": journal.mkdir}[kind]()
    with pytest.raises(ArtefactError, match=r"search.journal: expected a file, found a link"):
        open_storage(tmp_path, mend=mend)
    assert other.read_text() == "a line\nhalf a line"


def test_a_database_takes_the_place_of_the_journal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trials.db"
    settings = SearchSettings.model_validate({"space": SPACE, "trials": 4})
    trials = open_trials(open_storage(tmp_path, url), "fake", settings)
    Search(trials, settings, read_space(SPACE, BASE, "s"), BASE).run(FakeRunner())
    assert len(read_trials(open_trials(open_storage(tmp_path, url), "fake", settings))) == 4
    assert not (tmp_path / JOURNAL).exists()
    with pytest.raises(ConfigError, match="--storage: the database cannot be opened"):
        open_storage(tmp_path, "no database")


def test_the_importance_of_settings_is_told(tmp_path: Path) -> None:
    running = search(tmp_path, trials=80, sampler="random")
    running.run(FakeRunner(accuracy=lambda settings: accuracy_of({"rule.eta": settings["rule.eta"]})))
    shares = importances(running.trials)
    assert shares["rule.eta"] > 2 * shares["network.w_inh_exc"]
    assert importances(search(tmp_path / "few", trials=1).trials) == {}


def test_the_search_to_begin_with_can_be_run() -> None:
    from snstdp_cli.studies import load_study
    from snstdp_cli.studies.search.study import plan_search

    study = load_study(Path(__file__).parents[2] / "configs" / "studies" / "search_smin.yaml")
    plan = plan_search(study)
    assert study.cells == ()
    assert (plan.settings.trials, plan.base.rule.name, plan.base.data) == (30, "smin", "bundled")
    assert plan.values == {"rule.eta": 0.01, "rule.positive_share": 0.5, "network.theta_step_mv": 0.025}
