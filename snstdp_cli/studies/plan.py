"""From a study file to its cells: complete experiments, each with its own name, checked before anything runs."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from snstdp_cli.config import Experiment, build_experiment, merge, read_file
from snstdp_cli.errors import ConfigError, SnstdpError
from snstdp_cli.fields import shown
from snstdp_cli.rules import is_rule_file, only_rule_files
from snstdp_cli.studies.axes import MAX_CELLS, Assignment, dotted, matches, read_axis, rules_of
from snstdp_cli.studies.cell import Cell, build_cell_experiment, make_cell, refuse_to_begin_with
from snstdp_cli.studies.file import StudyFile, read_study_file
from snstdp_cli.studies.listed import Point, as_shown, read_listed

_MAX_PROBLEMS = 10


@dataclass(frozen=True, eq=False)
class Study:
    """A study with all its cells.

    Attributes
    ----------
    path
        The study file.
    workdir
        Folder of `studies/`.
    keys
        The varied keys, in the file's order.
    base
        Settings that all cells share, as they were given.
    run_rules
        Rules in files that may run, as `my_rules.py:MY_RULE`; None for all that the study names.
    """

    file: StudyFile
    path: Path
    workdir: Path
    keys: tuple[str, ...]
    base: dict[str, Any]
    cells: tuple[Cell, ...]
    run_rules: frozenset[str] | None = frozenset()

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.file.name

    @property
    def folder(self) -> Path:
        """Where the study's results are."""
        return self.workdir / "studies" / self.file.name

    def folder_of(self, cell: Cell | str) -> Path:
        """Return the working folder of a cell."""
        return self.folder / "cells" / (cell if isinstance(cell, str) else cell.id)

    @cached_property
    def by_id(self) -> dict[str, Cell]:
        """The cells by their names."""
        return {cell.id: cell for cell in self.cells}

    @cached_property
    def rule_files(self) -> tuple[str, ...]:
        """The rules in files that the study names, as `my_rules.py:MY_RULE`: looking at it needs leave to run them."""
        searched = {} if self.file.search is None else self.file.search.space
        names = [*rules_of(self.base, searched, ()), *(cell.experiment.rule.name for cell in self.cells)]
        return tuple(name for name in dict.fromkeys(names) if is_rule_file(name))


def load_study(path: Path, workdir: Path = Path(), *, run_rules: Collection[str] | None = ()) -> Study:
    """Read a study file and make its cells.

    Parameters
    ----------
    run_rules
        Rules in files that may run, as the study names them (`my_rules.py:MY_RULE`): such a file is a program. None
        lets all run that the study names, for who was asked to run the study.

    Raises
    ------
    ConfigError
        If the file, its base or any of its cells cannot be used, or it needs a rule file that may not run.
    """
    with allowed_rules(run_rules):
        return _load(path, workdir, None if run_rules is None else frozenset(run_rules))


def allowed_rules(run_rules: Collection[str] | None) -> AbstractContextManager[None]:
    """Let only these rules in files run while the body runs; any for None."""
    return nullcontext() if run_rules is None else only_rule_files(run_rules)


def _load(path: Path, workdir: Path, run_rules: frozenset[str] | None) -> Study:
    file = read_study_file(path)
    base = _read_base(file, path)
    build_experiment(base, {}, _base_name(file, path))  # a file that is wrong by itself is told as such
    points, keys = _points(file, base, path)
    searches_only = file.search is not None and not file.vary and file.cells is None
    cells = () if searches_only else tuple(_cells(file, base, points, keys, str(path)))
    if not cells and file.search is None:
        raise ConfigError(f"{path}: skip: leaves out every cell; expected at least one to run")
    return Study(file, path, workdir, keys, base, cells, run_rules)


def _read_base(file: StudyFile, path: Path) -> dict[str, Any]:
    base = read_file(path.parent / file.base) if isinstance(file.base, str) else file.base
    base = merge(base, {}, _base_name(file, path))
    refuse_to_begin_with(base, _base_name(file, path))
    return base


def _base_name(file: StudyFile, path: Path) -> str:
    return str(path.parent / file.base) if isinstance(file.base, str) else f"{path}: base"


def _points(file: StudyFile, base: Mapping[str, Any], path: Path) -> tuple[Iterator[Point], tuple[str, ...]]:
    """Return what all cells set but for the seed, lazily, and the keys that vary."""
    where = str(path)
    if file.cells is not None:
        listed = read_listed(base, file.cells, path)
        keys, points, num = dict.fromkeys(key for one in listed for key in one.settings), iter(listed), len(listed)
    else:
        rules = rules_of(base, file.vary, ())
        axes = [read_axis(key, values, where, rules) for key, values in file.vary.items()]
        keys = dict.fromkeys(key for axis in axes for point in axis for key in point)
        num = 1
        for axis in axes:
            num *= len(axis)
        points = (Point(_joined(group)) for group in itertools.product(*axes))
    if num * len(file.seeds) > MAX_CELLS:
        raise ConfigError(f"{where}: {num * len(file.seeds):,} cells; expected at most {MAX_CELLS:,}")
    for k, pattern in enumerate(file.skip):
        for key in dotted(pattern):
            if key not in keys and key != "seed":
                raise ConfigError(f"{where}: skip.{k}: '{key}' does not vary; varied: {', '.join([*keys, 'seed'])}")
    return points, tuple(keys)


def _joined(group: Sequence[Assignment]) -> Assignment:
    return {key: value for point in group for key, value in point.items()}


def _cells(
    file: StudyFile, base: Mapping[str, Any], points: Iterator[Point], keys: tuple[str, ...], where: str
) -> Iterator[Cell]:
    """Build every cell once; what is wrong with any of them is in one error."""
    patterns = [dotted(pattern) for pattern in file.skip]
    problems, seen, names = list[str](), set[str](), dict[str, str]()
    for point in points:
        told = f"{where}: cell {_settings_text(point.shown or point.settings)}"
        try:
            first = build_cell_experiment(base, {**point.settings, "seed": file.seeds[0]}, told)
            _check_split(file, first, where)
        except SnstdpError as error:
            problems.append(str(error))
            if len(problems) >= _MAX_PROBLEMS:
                break
            continue
        for seed in () if problems else file.seeds:
            experiment = first if seed == first.seed else first.model_copy(update={"seed": seed})
            cell = make_cell(experiment, keys, keys if file.cells is None else point.settings)
            if any(matches({**cell.settings, "seed": seed}, pattern) for pattern in patterns):
                continue
            cell = as_shown(cell, point, names, told)
            if cell.id not in seen:
                seen.add(cell.id)
                yield cell
    if problems:
        raise ConfigError("\n".join(problems))


def _check_split(file: StudyFile, experiment: Experiment, where: str) -> None:
    if file.score_on == "validation" and not getattr(experiment.evaluation, "validation_examples", 0):
        raise ConfigError(
            f"{where}: score_on: validation needs images to score on: set evaluation.validation_examples in the base"
        )


def _settings_text(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={shown(value)}" for key, value in point.items()) or "base"
