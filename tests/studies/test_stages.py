"""What a study's networks knew after each stage: means over seeds in tables and figures, and what cannot be read."""

import math
from pathlib import Path

import numpy as np
import pytest
from made_up_study import make_cell, make_cells
from matplotlib.text import Text
from synthetic import training_record

from snstdp_cli.artefacts import DataRecord, Responses, Workdir, load_weights, save_weights
from snstdp_cli.artefacts.stages import Stage, StageAnswers, StagesRecord, save_stages
from snstdp_cli.config import build_experiment
from snstdp_cli.errors import ArtefactError, DataError
from snstdp_cli.evaluation import Classifier, evaluate_all
from snstdp_cli.plots.studies import draw_study, kinds_of
from snstdp_cli.results import OnlineCourse, Score
from snstdp_cli.studies.cell import CELL_NAME
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.figures import cell_figures
from snstdp_cli.studies.formats import to_csv, to_markdown
from snstdp_cli.studies.results import StudyResults
from snstdp_cli.studies.stages import Courses, courses_of
from snstdp_cli.studies.tables import StudyTable, make_table
from snstdp_cli.studies.text_tables import text_tables

#: Accuracy on the second of two classes, by rule and seed; that on the first falls from 1 to half.
SECOND = {"smin": (0.8, 0.84), "smax": (0.6, 0.6)}


def course(second: float) -> OnlineCourse:
    by_class = np.array([[1.0, np.nan], [0.5, second]])
    return OnlineCourse((10, 20), (3, 5), np.array([1.0, (0.5 + second) / 2]), by_class, (1, 2))


def load(cell: CellResult) -> Courses:
    return {"selective": course(SECOND[cell.settings["rule"]][cell.seed])}


def cells() -> list[CellResult]:
    found = make_cells({(("rule", rule),): [0.8, 0.8] for rule in SECOND})
    return [*found, make_cell({"rule": "smin"}, 2)]  # which is missing: it has no stages


def table() -> StudyTable:
    return make_table(cells(), load_stages=load)


def test_stages_are_means_over_seeds_with_intervals() -> None:
    smin, smax = table().stages
    assert (smin.settings, smin.read_out, smin.learned) == ({"rule": "smin"}, "selective", ("3", "5"))
    assert [one.mean for one in smin.accuracies] == pytest.approx([1.0, 0.66])
    assert smin.accuracies[1].sd == pytest.approx(0.01 * math.sqrt(2))
    assert smin.online_accuracy.mean == pytest.approx((1 + 0.66) / 2)
    assert smin.forgetting is not None
    assert smin.forgetting.mean == pytest.approx(0.5)
    assert [one.mean for one in smax.accuracies] == pytest.approx([1.0, 0.55])


def test_tables_tell_them_below_and_records_have_a_column_for_each() -> None:
    found = to_markdown(text_tables(table()))
    rows = [line for line in found.splitlines() if line.startswith("|")]
    head = "| rule | after 3 | after 5 | mean of stages | forgetting |"
    assert rows[rows.index(head) + 2 :] == [
        "| smin | 100.0 ± 0.0 | 66.0 ± 12.7 | 83.0 ± 6.4 | 50.0 ± 0.0 |",
        "| smax | 100.0 ± 0.0 | 55.0 ± 0.0 | 77.5 ± 0.0 | 50.0 ± 0.0 |",
    ]
    records = table().long_records()
    assert [one["selective_after_stage_2"] for one in records] == pytest.approx([0.65, 0.67, 0.55, 0.55, None])
    assert "selective_after_stage_1" in to_csv(records)
    told = table().as_dict()["stages"][0]
    assert told["learned"] == ["3", "5"]
    assert told["accuracies"][1]["mean"] == pytest.approx(0.66)


def test_what_the_stages_come_to_is_compared_with_the_baseline_within_each_seed() -> None:
    found = make_table(cells(), against=["rule=smax"], load_stages=load)
    mean, lost = found.stage_differences
    assert (mean.read_out, mean.settings, mean.seeds) == ("mean of stages", {"rule": "smin"}, (0, 1))
    assert mean.mean == pytest.approx((0.05 + 0.06) / 2)
    assert mean.ci95 == pytest.approx((0.055 - 12.7062 * 0.005, 0.055 + 12.7062 * 0.005), abs=1e-4)
    assert (lost.read_out, lost.mean, lost.note) == ("forgetting", 0, "equal with every seed")
    assert mean.p_holm == pytest.approx(2 * mean.p_value)
    told = text_tables(found)[-1]
    assert told.columns[:2] == ("rule", "measure")
    assert told.title == "Difference over the stages to rule smax, points of percent, 2 seeds"
    assert not make_table(cells(), against=["rule=smax"]).stage_differences


def test_the_read_out_that_was_asked_for_is_told() -> None:
    def both(cell: CellResult) -> Courses:
        return {"average": course(0.1), **load(cell)}

    asked = [make_table(cells(), read_outs=[name], load_stages=both).stages[0] for name in ("average", "selective")]
    assert [(one.read_out, one.accuracies[1].mean) for one in asked] == [
        ("average", pytest.approx(0.3)),
        ("selective", pytest.approx(0.66)),
    ]
    assert not make_table(cells(), read_outs=["average"], load_stages=load).stages


def test_what_cannot_be_read_is_told_and_left_out() -> None:
    def damaged(cell: CellResult) -> Courses:
        if cell.seed == 0 and cell.settings["rule"] == "smin":
            raise ArtefactError("half a file")
        return load(cell)

    found = make_table(cells(), load_stages=damaged)
    assert [one.accuracies[1].mean for one in found.stages] == pytest.approx([0.67, 0.55])
    assert any("rule=smin-seed=0, its stages are left out: half a file" in text for text in found.warnings)


def test_a_training_that_ended_in_its_first_stage_is_told() -> None:
    def ended(cell: CellResult) -> Courses:
        return {"selective": OnlineCourse((10,), (3,), np.array([1.0]), np.array([[1.0]]), (1,))}

    (told,) = (text for text in make_table(cells(), load_stages=ended).warnings if "stage" in text)
    assert told.startswith("a single stage (3; all settings): the training ended before the next one began")
    assert not any("stage" in text for text in table().warnings)


def test_seeds_with_other_stages_are_not_mixed() -> None:
    def turned(cell: CellResult) -> Courses:
        one = course(0.5)
        return {"selective": OnlineCourse(one.examples, (3, 5 + cell.seed), one.accuracies, one.by_class, one.num_seen)}

    with pytest.raises(DataError, match="other stages than those of the same settings"):
        make_table(cells(), load_stages=turned)


@pytest.mark.parametrize(
    ("classifier", "expected"),
    [("average", (0.75, 0.5)), ("selective", (0.95, 0.1)), ("proportion", (0.75, 0.5)), ("linear", (0.75, 0.5))],
)
def test_a_cell_is_remembered_by_average_where_its_stages_were_not_read_as_its_score(
    tmp_path: Path, classifier: Classifier, expected: tuple[float, float]
) -> None:
    keep_cell(tmp_path)
    counts, labels = np.array([[2, 0], [0, 2]], np.uint16), np.array([3, 5], np.uint8)
    answers = Responses(counts, labels, np.ones(2, np.uint16), np.zeros(2, bool))
    evaluation = evaluate_all(counts, labels, counts, labels)["average"]
    found = cell_figures(Score(CELL_NAME, {classifier: evaluation}, classifier, answers, answers, True), tmp_path)
    assert (found["online_accuracy"], found["forgetting"]) == pytest.approx(expected)


def test_stages_are_known_by_every_read_out_that_all_of_them_have(tmp_path: Path) -> None:
    keep_cell(tmp_path, "proportion")
    assert list(courses_of(make_cell({}, 0, 0.8, folder=tmp_path))) == ["average", "selective", "proportion"]


def keep_cell(folder: Path, *more: Classifier) -> None:
    """Keep weights, and stages after two classes: 10, then 5 and 5 of ten by average, 10, then 9 and 9 by selective."""

    def stage(examples: int, seen: tuple[int, ...], average: int, selective: int) -> Stage:
        right = {"average": average, "selective": selective, **dict.fromkeys(more, average)}
        return Stage(
            examples=examples,
            seen=seen,
            answers={
                name: StageAnswers(correct=(num,) * len(seen), total=(10,) * len(seen)) for name, num in right.items()
            },
        )

    data = DataRecord(name="made", identity="made", split="test", num_images=30, image_shape=(4, 4), sha256="0" * 64)
    place, experiment = Workdir(folder), build_experiment({"n_e": 3, "order": "by_class"})
    record = training_record(experiment=experiment, training="a" * 16)
    save_weights(place, CELL_NAME, np.ones((4, 3)), np.full(3, 20.0), record)
    weights = load_weights(place, CELL_NAME).sha256
    stages = (stage(10, (3,), 10, 10), stage(20, (3, 5), 5, 9))
    made = StagesRecord(training="a" * 16, weights=weights, train=data, test=data, shown=(30, 30), stages=stages)
    save_stages(place, CELL_NAME, made)


def test_a_cell_without_weights_has_no_stages(tmp_path: Path) -> None:
    assert courses_of(make_cell({}, 0, 0.8, folder=tmp_path)) == {}


def test_the_figure_shows_a_line_for_each_setting() -> None:
    in_order = build_experiment({"data": "bundled", "order": "by_class"})
    found = [make_cell({"rule": rule}, seed, 0.8, experiment=in_order) for rule in SECOND for seed in (0, 1)]
    study = StudyResults("online", tuple(found), load_courses=load)
    assert "stages" in kinds_of(study)
    figure = draw_study(study, "stages")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["3", "5"]
    lines = {line.get_label(): list(line.get_ydata()) for line in axes.lines if line.get_label()[0] != "_"}
    assert lines == {"rule smin": pytest.approx([1.0, 0.66]), "rule smax": pytest.approx([1.0, 0.55])}
    assert any("accuracy by selective on all classes seen so far" in text.get_text() for text in figure.findobj(Text))
    with pytest.raises(DataError, match="no stages: no finished cell"):
        draw_study(StudyResults("online", tuple(found), load_courses=lambda _: {}), "stages")
    assert "stages" not in kinds_of(StudyResults("other", tuple(cells())))
