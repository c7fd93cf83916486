"""`snstdp study table`, `plot` and `report` on a study that lies on the disk, and was not run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stored_networks import make_network
from typer.testing import CliRunner, Result

from snstdp_cli.cli.app import app
from snstdp_cli.results import TrainedNetwork, score_network
from snstdp_cli.studies import CELL_NAME, load_score, load_study
from snstdp_cli.studies.opened import OpenStudy
from snstdp_cli.studies.records import CellRecord, CellScore, write_cell_record
from snstdp_cli.studies.results import gather_results

STUDY = """
name: stored
about: Which rule?
base: {data: bundled, n_e: 9}
vary:
  rule: [smax, triplet]
  rule.eta: {from: 0.001, to: 0.1, steps: 2, scale: log}
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a study of three cells whose networks are made up; one of them failed."""
    root = tmp_path_factory.mktemp("stored")
    (root / "stored.yaml").write_text(STUDY)
    study = load_study(root / "stored.yaml", root)
    assert [cell.settings for cell in study.cells] == [
        *({"rule": "smax", "rule.eta": eta} for eta in (0.001, 0.1)),
        {"rule": "triplet"},
    ]
    for k, cell in enumerate(study.cells):
        folder = study.folder_of(cell)
        known = {"cell": cell.id, "settings": cell.settings, "seed": cell.seed, "experiment": {}}
        if k == 1:
            write_cell_record(folder, CellRecord(**known, state="failed", error="it ran away"))
            continue
        score = score_network(TrainedNetwork(make_network(folder, CELL_NAME, k), CELL_NAME))
        result = CellScore(
            accuracies={kind: one.accuracy for kind, one in score.evaluations.items()},
            chance=score.evaluation.chance,
            num_examples=score.evaluation.num_examples,
        )
        finished = {"attempts": 1, "seconds": 90.0, "machine": "node-1", "versions": {"snstdp": "0.2.0"}}
        write_cell_record(folder, CellRecord(**known, **finished, state="finished", scores={"test": result}))
    return root


def invoke(stored: Path, command: str, *flags: str) -> Result:
    file = str(stored / "stored.yaml")
    return CliRunner().invoke(app, ["study", command, file, "--workdir", str(stored), *flags])


def test_the_results_of_a_study_are_gathered_from_its_folder(stored: Path) -> None:
    found = gather_results(load_study(stored / "stored.yaml", stored))
    assert [cell.state for cell in found.cells] == ["finished", "failed", "finished"]
    assert found.log_keys == {"rule.eta"}
    assert found.about == "Which rule?"
    assert [point.examples for point in found.load_curve(found.cells[0])] == [4, 8]
    assert found.load_curve(found.cells[1]) == ()
    facts = found.load_facts(found.cells[0])
    assert facts is not None
    assert (facts.seconds, facts.machine) == (90.0, "node-1")


def test_answers_are_those_to_the_images_that_the_study_scores(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[object]()

    def note(*_: object, **options: object) -> object:
        seen.append(options["score_on"])
        return None

    monkeypatch.setattr("snstdp_cli.studies.cells.score_network", note)
    cell = gather_results(load_study(stored / "stored.yaml", stored)).cells[0]
    load_score(cell)
    load_score(replace(cell, score_on="validation"))
    assert seen == ["test", "validation"]


def test_a_table_compares_single_seeds_image_by_image(stored: Path) -> None:
    done = invoke(stored, "table", "--against", "rule=triplet", "--json")
    assert done.exit_code == 0, done.output
    smax, failed = json.loads(done.stdout)["differences"][:3:2]
    assert (smax["settings"], smax["baseline"]) == ({"rule": "smax", "rule.eta": 0.001}, {"rule": "triplet"})
    assert smax["method"] == "images"
    assert 0 <= smax["p"] <= smax["p_holm"] <= 1
    assert failed["note"] == "no seed is finished for both"


def test_a_table_in_python(stored: Path) -> None:
    opened = OpenStudy(load_study(stored / "stored.yaml", stored))
    table = opened.table(against="rule=triplet", read_outs=["average"])
    assert [record["finished"] for record in table.records()] == [1, 0, 1]
    assert table.records()[0]["average_difference"] is not None
    assert len(table.long_records()) == 3
    assert opened.table().differences == ()


def test_a_table_in_text_and_long(stored: Path) -> None:
    done = invoke(stored, "table")
    assert "0 of 1, 1 failed" in done.stdout
    assert "no interval" in done.stderr
    assert "it ran away" in invoke(stored, "table", "--long", "--format", "csv").stdout


def test_figures_and_report_lie_in_the_folder_of_the_study(stored: Path) -> None:
    done = invoke(stored, "plot", "--quiet")
    assert done.exit_code == 0, done.output
    folder = stored / "studies" / "stored"
    assert {path.name for path in (folder / "figures").glob("*.png")} == {"stored.lines.png", "stored.curves.png"}
    done = invoke(stored, "report", "--against", "rule=triplet", "--quiet")
    assert done.exit_code == 0, done.output
    page = (folder / "report.stored.html").read_text(encoding="utf-8")
    assert "2 of 3 finished, 1 failed" in page
    assert "node-1" in page


SEARCH = """
name: searched
base: {data: bundled, n_e: 9, evaluation: {validation_examples: 100}}
search: {trials: 6, space: {rule.eta: {from: 0.001, to: 0.1, scale: log}, network.theta_step_mv: {from: 0.01, to: 1}}}
"""


def test_a_search_is_drawn_and_reported_from_its_journal(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    from snstdp_cli.studies.search.storage import open_storage, open_trials
    from snstdp_cli.studies.search.study import plan_search, trials_name

    file = tmp_path / "searched.yaml"
    file.write_text(SEARCH)
    study = load_study(file, tmp_path)
    plan = plan_search(study)
    trials = open_trials(open_storage(study.folder), trials_name(study, plan), plan.settings)
    ranges = {key: optuna.distributions.FloatDistribution(0.001, 1) for key in ("rule.eta", "network.theta_step_mv")}
    for k in range(6):
        settings = {"rule.eta": 0.001 * 2**k, "network.theta_step_mv": 0.01 * (k + 1)}
        made = {"params": settings, "distributions": ranges, "user_attrs": {"settings": settings}}
        trials.add_trial(optuna.trial.create_trial(value=0.5 + 0.05 * k, **made))

    found = gather_results(study)
    assert [trial.value for trial in found.trials] == pytest.approx([0.5 + 0.05 * k for k in range(6)])
    assert (found.cells, found.log_keys) == ((), {"rule.eta"})
    flags = ["study", "plot", str(file), "--workdir", str(tmp_path), "--quiet"]
    done = CliRunner().invoke(app, flags)
    assert done.exit_code == 0, done.output
    names = {path.name for path in (study.folder / "figures").glob("*.png")}
    assert {"searched.history.png", "searched.parallel.png"} <= names
    done = CliRunner().invoke(app, ["study", "table", str(file), "--workdir", str(tmp_path)])
    assert done.exit_code == 2
    assert "the study has no grid" in " ".join(done.output.split())


def test_a_baseline_that_is_none_ends_with_a_sentence(stored: Path) -> None:
    for command in ("table", "report"):
        done = invoke(stored, command, "--against", "rule=smin")
        assert done.exit_code == 2
        assert "the study has no such cells; expected one of: smax, triplet" in " ".join(done.output.split())
    assert invoke(stored, "plot", "--x", "n_e").exit_code == 2
