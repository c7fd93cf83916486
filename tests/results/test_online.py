"""Learning one class after the other: stages at the ends of the classes, accuracy on what was seen, forgetting."""

from pathlib import Path

import numpy as np
import pytest

from snstdp_cli.artefacts import Workdir
from snstdp_cli.artefacts.stages import Stage, StageAnswers, StagesRecord, load_stages, save_stages
from snstdp_cli.config import build_experiment
from snstdp_cli.datasets import Dataset, from_arrays
from snstdp_cli.errors import ArtefactError
from snstdp_cli.pipeline import run_experiment
from snstdp_cli.plots.responses import online
from snstdp_cli.results import TrainedNetwork, online_course
from snstdp_cli.results.online import course_of

DATA = {
    "name": "made", "identity": "made", "split": "test", "num_images": 30, "image_shape": (4, 4), "sha256": "0" * 64
}  # fmt: skip


def record(*rows: tuple[int, ...]) -> StagesRecord:
    """Return stages after classes 3, 5, 8, of each of which so many of ten images are right."""
    stages = [
        Stage(
            examples=10 * len(row),
            seen=(3, 5, 8)[: len(row)],
            answers={"average": StageAnswers(correct=row, total=(10,) * len(row))},
        )
        for row in rows
    ]
    return StagesRecord(
        training="0" * 16, weights="0" * 64, train=DATA, test=DATA, shown=(30, 30), stages=tuple(stages)
    )


def test_forgetting_is_the_best_earlier_accuracy_minus_the_one_at_the_end() -> None:
    course = course_of(record((10,), (6, 9), (8, 4, 7)), "average")
    assert course.classes == (3, 5, 8)
    assert course.accuracies.tolist() == pytest.approx([1.0, 15 / 20, 19 / 30])
    assert course.online_accuracy == pytest.approx((1 + 0.75 + 19 / 30) / 3)
    assert course.forgetting == pytest.approx(((1.0 - 0.8) + (0.9 - 0.4)) / 2)
    assert np.isnan(course.by_class[0, 1:]).all()
    assert course.learned == ("3", "5", "8")


def test_a_stage_may_add_all_classes_of_a_data_set() -> None:
    seen, right = ((3, 5), (3, 5, 8, 9)), ((10, 6), (5, 2, 9, 9))
    stages = tuple(
        Stage(examples=k, seen=c, answers={"average": StageAnswers(correct=r, total=(10,) * len(c))})
        for k, c, r in zip((20, 40), seen, right, strict=True)
    )
    course = course_of(record((10,)).model_copy(update={"stages": stages}), "average")
    assert course.learned == ("3 to 5", "8 to 9")
    assert course.accuracies.tolist() == pytest.approx([0.8, 25 / 40])
    assert course.forgetting == pytest.approx(((1.0 - 0.5) + (0.6 - 0.2)) / 2)


def test_a_class_of_which_nothing_was_scored_is_not_known_and_takes_no_part_in_forgetting() -> None:
    every = record((10,), (4, 0), (2, 0, 5))
    rare = tuple(
        stage.model_copy(
            update={"answers": {"average": StageAnswers(correct=one.correct, total=(10, 0, 10)[: len(one.total)])}}
        )
        for stage in every.stages
        for one in stage.answers.values()
    )
    course = course_of(every.model_copy(update={"stages": rare}), "average")
    assert np.isnan(course.by_class[:, 1]).all()
    assert course.by_class[:, 0].tolist() == pytest.approx([1.0, 0.4, 0.2])
    assert course.forgetting == pytest.approx(0.8)
    assert course.learned == ("3", "5", "8")
    assert course.accuracies.tolist() == pytest.approx([1.0, 0.4, 7 / 20])


def test_a_stage_without_answers_has_no_share_in_the_mean() -> None:
    one, *later = record((9,), (8, 7)).stages
    empty = one.model_copy(update={"answers": {"average": StageAnswers(correct=(0,), total=(0,))}})
    course = course_of(record((9,)).model_copy(update={"stages": (empty, *later)}), "average")
    assert np.isnan(course.accuracies[0])
    assert course.online_accuracy == pytest.approx(0.75)
    assert course.forgetting is None
    assert np.isnan(course_of(record((9,)).model_copy(update={"stages": (empty,)}), "average").online_accuracy)


def test_a_single_class_forgets_nothing_that_can_be_told() -> None:
    assert course_of(record((9,)), "average").forgetting is None
    with pytest.raises(ArtefactError, match="read by average, not by linear"):
        course_of(record((9,)), "linear")


def stripes(num: int, split: str) -> Dataset:
    """Return images of three classes, each of which lights other rows, in mixed order."""
    labels = (np.arange(num) % 3).astype(np.uint8)
    images = np.zeros((num, 6, 6), np.uint8)
    for k, label in enumerate(labels):
        images[k, 2 * label : 2 * label + 2] = 255
    return from_arrays(images, labels, split=split, name="stripes")


def run(place: Workdir, *, resume: bool = False, force: bool = False, **changes: object) -> None:
    """Run on NumPy, which compiles nothing."""
    images = {"train": stripes(30, "train"), "test": stripes(15, "test")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("snstdp_cli.engines.runtime.find_compiler", lambda: None)
        run_experiment(_experiment(**changes), place, datasets=images, workers=1, resume=resume, force=force)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workdir:
    place = Workdir(tmp_path_factory.mktemp("online"))
    run(place)
    return place


def _experiment(**changes: object):
    content = {
        "n_e": 6, "num_examples": 30, "chunk": 7, "order": "by_class", "save_name": "net", "engine": "runtime",
        "dt": 1,
        "presentation": {"stimulus_ms": 40, "rest_ms": 10, "intensity": 20, "max_intensity": 25, "min_spikes": 0},
        "network": {"input_delay_ms": 0, "theta_init_mv": 10},
        "evaluation": {"curve_examples": 0, "assign_examples": 15, "test_examples": 15, "stage_examples": 12},
        **changes,
    }  # fmt: skip
    return build_experiment(content)


@pytest.mark.slow
def test_a_run_by_class_keeps_a_snapshot_and_an_accuracy_for_each_class(trained: Workdir) -> None:
    network = TrainedNetwork(trained, "net")
    assert [shot.examples for shot in network.snapshots] == [10, 20]
    assert network.never_learned is not None
    for shot in network.snapshots:  # what never learned had not by then
        assert shot.never_learned is not None
        assert (shot.never_learned | ~network.never_learned).all()
    course = online_course(network)
    assert course.examples == (10, 20, 30)
    assert course.classes == (0, 1, 2)
    assert course.accuracies[0] in (0.0, 1.0)  # a single class: all right, or none answered
    found = load_stages(trained, "net")
    assert found is not None
    assert [sum(stage.answers["average"].total) for stage in found.stages] == [4, 8, 12]
    assert online(network).axes


@pytest.mark.slow
def test_a_resume_keeps_the_stages_and_other_weights_do_not_have_them(trained: Workdir) -> None:
    path = trained.activity / "net.stages.json"
    before = path.stat().st_mtime_ns
    run(trained, resume=True)
    assert path.stat().st_mtime_ns == before
    found = load_stages(trained, "net")
    assert found is not None
    save_stages(trained, "net", found.model_copy(update={"weights": "0" * 64}))
    with pytest.raises(ArtefactError, match="is of other weights of the name 'net'"):
        online_course(TrainedNetwork(trained, "net"))
    run(trained, resume=True)
    assert load_stages(trained, "net") == found


def test_what_is_not_there_is_told_with_the_way_to_it(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="order: by_class or by_data by `snstdp run`"):
        online_course(TrainedNetwork(Workdir(tmp_path), "net"))
