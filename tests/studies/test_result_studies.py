"""The studies of the published results: every file is valid, searches touch no test image, and budgets are equal."""

from pathlib import Path

import pytest

from snstdp_cli.evaluation import READ_OUTS
from snstdp_cli.studies import load_study
from snstdp_cli.studies.cell import training_key
from snstdp_cli.studies.search.space import read_space
from snstdp_cli.studies.search.study import plan_search

FOLDER = Path(__file__).parents[2] / "configs" / "studies" / "results"
FILES = sorted(FOLDER.glob("*.yaml"))
SEARCHES = [path for path in FILES if path.stem.startswith("search_")]


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_study_of_the_results_can_be_planned_and_is_called_like_its_file(path: Path, tmp_path: Path) -> None:
    study = load_study(path, tmp_path)
    assert study.name == path.stem
    if path.stem in ("choose", "choose_size", "orders", "shares", "explore"):
        assert study.file.score_on == "validation"
    elif study.file.search is None:
        assert len(study.cells) >= 9
        assert len(study.file.seeds) >= 3
        assert set(study.file.read_outs) == set(READ_OUTS)
        assert study.file.score_on == "test"
    else:
        assert not study.cells
        assert plan_search(study).space


def test_every_rule_has_the_same_budget_on_images_that_are_withheld() -> None:
    assert {path.stem for path in SEARCHES} == {"search_smin", "search_smax", "search_triplet"}
    budgets, spaces = set(), []
    for path in SEARCHES:
        study = load_study(path)
        search, base = study.file.search, plan_search(study).base
        assert search is not None
        assert search.trials >= 30
        assert base.n_e == 400
        assert base.num_examples <= 20_000
        assert base.evaluation.validation_examples >= 1000
        budgets.add((search.trials, search.sampler, search.pruner, search.read_out, base.num_examples))
        spaces.append({key for key in read_space(search.space, base, "space") if not key.startswith("rule.")})
    assert len(budgets) == 1
    assert spaces[0] == spaces[1] == spaces[2]


def trainings(name: str) -> set[str]:
    """Return the keys of a study's trainings, of which equal ones are made once, in whichever study."""
    return {training_key(cell.experiment) for cell in load_study(FOLDER / f"{name}.yaml").cells}


def test_what_is_trained_alike_is_trained_once() -> None:
    shared = trainings("rules")
    for name in ("noise", "labels"):
        assert len(trainings(name)) == 9
        assert trainings(name) < shared
    assert len(trainings("passes") & shared) == 9
    assert len(trainings("speed") & shared) == 9
    assert len(trainings("ablation") & shared) == 3
    assert trainings("all_labels") == trainings("file_order")
