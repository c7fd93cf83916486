"""The table of a study: a row for each setting and the differences to a baseline, as records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from snstdp_cli.errors import ConfigError
from snstdp_cli.evaluation import CLASSIFIERS, Classifier
from snstdp_cli.studies.baseline import resolve_baseline
from snstdp_cli.studies.cautions import stage_warnings, warnings_of
from snstdp_cli.studies.cell import setting_values
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.differences import Difference, LoadCorrect, paired_differences
from snstdp_cli.studies.intervals import Estimate
from snstdp_cli.studies.read_outs import find_read_out
from snstdp_cli.studies.stages import Courses, LoadCourses, StageRow, load_courses, stage_differences, summarize_stages
from snstdp_cli.studies.statistics import SettingRow, distinct_cells, setting_key, summarize, varied_keys

if TYPE_CHECKING:
    import pandas as pd

#: A row of a table for machines.
Record = dict[str, Any]
#: Settings that say what a cell's files are called, and nothing else.
_OF_FILES = ("save_name", "load_name")


@dataclass(frozen=True, eq=False)
class StudyTable:
    """What a study came to.

    Attributes
    ----------
    cells
        Every cell, in the order of the plan.
    read_outs
        Which accuracies were asked for.
    rows
        One a setting.
    against
        Values that make a setting a baseline; empty where none was asked for.
    differences
        To the baseline, one for each other setting and read-out.
    warnings
        What to know before a figure is believed.
    stages
        What was known after each stage; a row for each setting whose classes or data sets came one after the other.
    stage_differences
        Of the mean of the stages and of the forgetting to the baseline.
    courses
        The same for each cell, by its name.
    """

    cells: tuple[CellResult, ...]
    read_outs: tuple[Classifier, ...]
    rows: tuple[SettingRow, ...]
    against: Mapping[str, Any] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()
    stages: tuple[StageRow, ...] = ()
    stage_differences: tuple[Difference, ...] = ()
    courses: Mapping[str, Courses] = field(default_factory=dict)

    @cached_property
    def keys(self) -> list[str]:
        """The varied keys, without the seed."""
        return varied_keys(self.cells)

    def records(self) -> list[Record]:
        """Return a record for each setting, with the difference to its baseline beside its accuracy.

        Accuracies and differences are shares, from 0 to 1; what is not known is None.
        """
        by_setting = {(setting_key(one.settings), one.read_out): one for one in self.differences}
        return [self._record(row, by_setting) for row in self.rows]

    def long_records(self) -> list[Record]:
        """Return a record for each cell, every setting and figure a column (see `long_records`)."""
        return long_records(self.cells, self.courses)

    def frame(self, *, long: bool = False) -> pd.DataFrame:
        """Return the records as a pandas frame.

        Raises
        ------
        ConfigError
            If pandas is not installed.
        """
        return to_frame(self.long_records() if long else self.records())

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "read_outs": list(self.read_outs),
            "settings": [
                {"settings": dict(row.settings), **_without_settings(record, row.settings)}
                for row, record in zip(self.rows, self.records(), strict=True)
            ],
            "against": dict(self.against),
            "differences": [_difference_as_dict(one) for one in self.differences],
            "warnings": list(self.warnings),
            "stages": [_stages_as_dict(one) for one in self.stages],
            "stage_differences": [_difference_as_dict(one) for one in self.stage_differences],
        }

    def _record(self, row: SettingRow, by_setting: Mapping[tuple[str, str], Difference]) -> Record:
        record: Record = {key: row.settings.get(key) for key in self.keys}
        own: Record = {"finished": row.finished, "failed": row.failed, "missing": row.missing}
        for read_out in self.read_outs:
            own |= _estimate_fields(read_out, row.estimates.get(read_out), read_out in row.best)
            if self.against:
                own |= _difference_fields(read_out, by_setting.get((setting_key(row.settings), read_out)))
        own |= {"chance": row.chance, "num_examples": row.num_examples}
        return record | _prefixed(own, record)


def make_table(
    cells: Sequence[CellResult],
    *,
    read_outs: Sequence[Classifier] = CLASSIFIERS,
    against: Sequence[str] = (),
    load_correct: LoadCorrect | None = None,
    load_stages: LoadCourses | None = None,
) -> StudyTable:
    """Summarize a study.

    Parameters
    ----------
    cells
        All of its cells, whatever their state.
    read_outs
        Which accuracies.
    against
        The baseline as `KEY=VALUE`, such as `rule=triplet`; several narrow it down. Without it nothing is compared.
    load_correct
        Tells where a cell was right; needed for differences with a single seed.
    load_stages
        Tells what a cell knew after each stage; without it the table does not.

    Raises
    ------
    ConfigError
        If the baseline or a read-out is none of the study.
    DataError
        If there is no cell, or if cells that differ in nothing but the seed had other stages.
    """
    read_outs = [find_read_out(name) for name in read_outs]
    rows = summarize(cells, read_outs)
    baseline = resolve_baseline(against, [row.settings for row in rows]) if against else {}
    differences = paired_differences(cells, baseline, read_outs, load_correct) if baseline else []
    courses, unread = ({}, []) if load_stages is None else load_courses(cells, load_stages)
    stages = tuple(summarize_stages(cells, courses, read_outs))
    return StudyTable(
        cells=tuple(distinct_cells(cells)),
        read_outs=tuple(read_outs),
        rows=tuple(rows),
        against=baseline,
        differences=tuple(differences),
        warnings=(*warnings_of(rows), *stage_warnings(stages), *unread),
        stages=stages,
        stage_differences=tuple(stage_differences(cells, courses, read_outs, baseline) if baseline else ()),
        courses=courses,
    )


def long_records(cells: Sequence[CellResult], courses: Mapping[str, Courses] | None = None) -> list[Record]:
    """Return a record for each cell, every setting and figure a column; None where a cell does not have it.

    What varies comes first, and what all cells have in common comes last.

    Parameters
    ----------
    courses
        What a cell knew after each stage, by its name.
    """
    records = varied_records(cells, courses or {})
    every = [{} if cell.experiment is None else setting_values(cell.experiment) for cell in cells]
    keys = list(dict.fromkeys(key for values in every for key in values))
    common = [key for key in keys if key not in (*varied_keys(cells), "seed", *_OF_FILES)]
    for record, values in zip(records, every, strict=True):
        record |= _prefixed({key: values.get(key) for key in common}, record, "setting")
    return records


def varied_records(cells: Sequence[CellResult], courses: Mapping[str, Courses]) -> list[Record]:
    """Return a record for each cell: the settings that vary in the study, and every figure."""
    keys = varied_keys(cells)
    seen = {name: _stage_fields(own) for name, own in courses.items()}
    stages = list(dict.fromkeys(name for one in seen.values() for name in one))
    figures = list(dict.fromkeys(name for cell in cells for name in cell.figures))
    read_outs = list(dict.fromkeys((*CLASSIFIERS, *(name for cell in cells for name in cell.accuracies))))
    records = []
    for cell in cells:
        record: Record = {"cell": cell.cell, **{key: cell.settings.get(key) for key in keys}}
        own: Record = {"seed": cell.seed, "state": cell.state}
        own |= {f"accuracy_{name}": cell.accuracies.get(name) for name in read_outs}
        own |= {"chance": cell.chance, "num_examples": cell.num_examples}
        record |= _prefixed(own, record)
        record |= _prefixed({name: cell.figures.get(name) for name in figures}, record, "figure")
        record |= _prefixed({name: seen.get(cell.cell, {}).get(name) for name in stages}, record, "figure")
        record |= _prefixed({"error": cell.error}, record)
        records.append(record)
    return records


def _stage_fields(courses: Courses) -> Record:
    """Return the accuracy on all classes seen so far after each stage, counted from 1, by each read-out."""
    return {
        f"{read_out}_after_stage_{k}": float(accuracy)
        for read_out, course in courses.items()
        for k, accuracy in enumerate(course.accuracies, 1)
    }


def to_frame(records: Sequence[Record]) -> pd.DataFrame:
    """Return records as a pandas frame.

    Raises
    ------
    ConfigError
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise ConfigError("a frame needs pandas, which is not installed: pip install pandas") from None
    return pd.DataFrame.from_records(list(records))


def _estimate_fields(read_out: str, one: Estimate | None, best: bool) -> Record:
    low, high = (None, None) if one is None or one.ci95 is None else one.ci95
    return {
        f"{read_out}_seeds": 0 if one is None else one.num_seeds,
        f"{read_out}_mean": None if one is None else one.mean,
        f"{read_out}_sd": None if one is None else one.sd,
        f"{read_out}_low": low,
        f"{read_out}_high": high,
        f"{read_out}_best": best,
    }


def _difference_fields(read_out: Classifier, one: Difference | None) -> Record:
    if one is None:  # the baseline itself
        one = Difference({}, None, read_out)
    low, high = (None, None) if one.ci95 is None else one.ci95
    values: Record = {"": one.mean, "_low": low, "_high": high, "_d_z": one.effect_size, "_p": one.p_value}
    values |= {"_p_holm": one.p_holm, "_pairs": len(one.seeds), "_method": one.method, "_note": one.note}
    return {f"{read_out}_difference{name}": value for name, value in values.items()}


def _difference_as_dict(one: Difference) -> dict[str, Any]:
    return {
        "settings": dict(one.settings),
        "baseline": None if one.baseline is None else dict(one.baseline),
        "read_out": one.read_out,
        "method": one.method,
        "seeds": list(one.seeds),
        "left_out": list(one.left_out),
        "difference": one.mean,
        "ci95": None if one.ci95 is None else list(one.ci95),
        "d_z": one.effect_size,
        "p": one.p_value,
        "p_holm": one.p_holm,
        "note": one.note,
    }


def _stages_as_dict(one: StageRow) -> dict[str, Any]:
    return {
        "settings": dict(one.settings),
        "read_out": one.read_out,
        "learned": list(one.learned),
        "accuracies": [_estimate_as_dict(found) for found in one.accuracies],
        "online_accuracy": _estimate_as_dict(one.online_accuracy),
        "forgetting": None if one.forgetting is None else _estimate_as_dict(one.forgetting),
    }


def _estimate_as_dict(one: Estimate) -> dict[str, Any]:
    return {"mean": one.mean, "sd": one.sd, "ci95": None if one.ci95 is None else list(one.ci95)}


def _without_settings(record: Record, settings: Iterable[str]) -> Record:
    keys = set(settings)
    return {key: value for key, value in record.items() if key not in keys}


def _prefixed(fields: Record, taken: Iterable[str], prefix: str = "study") -> Record:
    """Rename a column that is called like a setting: no column hides another."""
    names = set(taken)
    return {f"{prefix}.{key}" if key in names else key: _finite(value) for key, value in fields.items()}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
