"""What the networks of a study knew after each stage, when classes or data sets came one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from snstdp_cli.artefacts import Workdir, weights_exist
from snstdp_cli.artefacts.stages import load_stages
from snstdp_cli.errors import DataError, SnstdpError
from snstdp_cli.evaluation import READ_OUTS, Classifier
from snstdp_cli.results import OnlineCourse, TrainedNetwork, online_course
from snstdp_cli.studies.cell import CELL_NAME
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.differences import Difference, paired_differences
from snstdp_cli.studies.intervals import Estimate, estimate
from snstdp_cli.studies.statistics import group_settings

#: What is compared of the stages, as tables call it.
ONLINE_ACCURACY, FORGETTING = "mean of stages", "forgetting"
#: What a cell knew after each stage, by read-out; empty where its images came in another order.
Courses = Mapping[Classifier, OnlineCourse]
LoadCourses = Callable[[CellResult], Courses]


@dataclass(frozen=True)
class StageRow:
    """What all cells that differ in nothing but the seed knew after each stage, by one read-out.

    Attributes
    ----------
    settings
        The varied keys, dotted, without the seed.
    learned
        What each stage added: its class, or the first and the last one of its data set.
    accuracies
        On all classes seen so far after each stage; as many as `learned`.
    online_accuracy
        Mean over the stages (see `OnlineCourse.online_accuracy`).
    forgetting
        See `OnlineCourse.forgetting`; None if there is one stage only.
    """

    settings: Mapping[str, Any]
    read_out: Classifier
    learned: tuple[str, ...]
    accuracies: tuple[Estimate, ...]
    online_accuracy: Estimate
    forgetting: Estimate | None


def courses_of(cell: CellResult) -> Courses:
    """Return what a cell knew after each stage from its folder, by read-out; empty where nothing is written down.

    Raises
    ------
    ArtefactError
        If what is written down is damaged, or of other weights.
    """
    place = Workdir(cell.folder)
    record = load_stages(place, CELL_NAME) if weights_exist(place, CELL_NAME) else None
    if record is None:
        return {}
    network = TrainedNetwork(place, CELL_NAME)
    read = [name for name in READ_OUTS if all(name in stage.answers for stage in record.stages)]
    return {name: online_course(network, name) for name in read}


def load_courses(cells: Iterable[CellResult], load: LoadCourses) -> tuple[dict[str, Courses], list[str]]:
    """Return what each finished cell knew after each stage, by its name, and sentences about what cannot be read."""
    found, unread = {}, []
    for cell in cells:
        try:
            courses = load(cell) if cell.state == "finished" else {}
        except SnstdpError as error:
            unread.append(f"cell {cell.cell}, its stages are left out: {error}")
            continue
        if courses:
            found[cell.cell] = courses
    return found, unread


def summarize_stages(
    cells: Iterable[CellResult], courses: Mapping[str, Courses], read_outs: Sequence[Classifier]
) -> list[StageRow]:
    """Return a row for each setting whose cells had stages, by the first read-out that all of them have.

    Parameters
    ----------
    courses
        By the name of the cell.

    Raises
    ------
    DataError
        If cells that differ in nothing but the seed had other stages.
    """
    read_out = _shared_read_out(courses, read_outs)
    if read_out is None:
        return []
    rows = []
    for group in group_settings(cells):
        own = [courses[cell.cell][read_out] for cell in group if cell.cell in courses]
        if not own:
            continue
        if len({course.learned for course in own}) > 1:
            raise DataError(
                f"{group[0].folder}: other stages than those of the same settings with another seed: "
                f"{'; '.join(', '.join(course.learned) for course in own)}"
            )
        rows.append(_row(group[0].settings, read_out, own))
    return rows


def stage_differences(
    cells: Iterable[CellResult],
    courses: Mapping[str, Courses],
    read_outs: Sequence[Classifier],
    against: Mapping[str, Any],
) -> list[Difference]:
    """Compare the mean of the stages and the forgetting of every setting that has stages with its baseline.

    Both are shares; a positive difference in forgetting is more of it. All p-values are corrected together.
    """
    measured, read_out = [], _shared_read_out(courses, read_outs)
    for cell in cells:
        course = courses[cell.cell][read_out] if read_out is not None and cell.cell in courses else None
        figures = {} if course is None else {ONLINE_ACCURACY: course.online_accuracy, FORGETTING: course.forgetting}
        known = {name: value for name, value in figures.items() if value is not None}
        measured.append(replace(cell, accuracies=known))
    found = paired_differences(measured, against, (ONLINE_ACCURACY, FORGETTING))
    return [one for one in found if one.seeds]


def _shared_read_out(courses: Mapping[str, Courses], read_outs: Sequence[Classifier]) -> Classifier | None:
    """Return the first read-out by which every cell with stages was read; None if there is none."""
    return next((name for name in read_outs if courses and all(name in own for own in courses.values())), None)


def _row(settings: Mapping[str, Any], read_out: Classifier, courses: Sequence[OnlineCourse]) -> StageRow:
    accuracies = zip(*(course.accuracies.tolist() for course in courses), strict=True)
    lost = [course.forgetting for course in courses if course.forgetting is not None]
    return StageRow(
        settings,
        read_out,
        courses[0].learned,
        tuple(_known(values) for values in accuracies),
        _known([course.online_accuracy for course in courses]),
        estimate(lost),
    )


def _known(values: Sequence[float]) -> Estimate:
    found = estimate(values)
    assert found is not None
    return found
