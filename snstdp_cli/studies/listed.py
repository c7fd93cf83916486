"""The list of cells of a study: what each sets, perhaps by a configuration of its own, and what tables call it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snstdp_cli.config import merge, read_file
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import printable, shown
from snstdp_cli.studies.axes import Assignment, check_key, dotted, rules_of
from snstdp_cli.studies.cell import Cell, refuse_to_begin_with, setting_values

#: Keys of a listed cell that are no settings.
CONFIG, SHOWN = "config", "shown_as"
_MAX_TEXT = 100


@dataclass(frozen=True)
class Point:
    """What a cell sets but for the seed, and by what tables know it in place of that; None for the settings."""

    settings: Assignment
    shown: Mapping[str, Any] | None = None


def read_listed(base: Mapping[str, Any], cells: Iterable[Mapping[str, Any]], path: Path) -> list[Point]:
    """Read the list of cells of a study file.

    Parameters
    ----------
    path
        The study file; configurations are named from its folder.

    Raises
    ------
    ConfigError
        For a key that is no setting, a configuration that cannot be read, or if some cells say how they are shown and
        others do not.
    """
    points = [_read_point(one, path, k) for k, one in enumerate(cells)]
    rules = rules_of(base, {}, [point.settings for point in points])
    for k, point in enumerate(points):
        for key in point.settings:
            check_key(key, f"{path}: cells.{k}", rules)
    without = [k for k, point in enumerate(points) if point.shown is None]
    if without and len(without) < len(points):
        raise ConfigError(f"{path}: cells.{without[0]}: no {SHOWN}, which other cells have; expected it in all or none")
    return points


def _read_point(cell: Mapping[str, Any], path: Path, k: int) -> Point:
    own = {key: value for key, value in cell.items() if key not in (CONFIG, SHOWN)}
    where = f"{path}: cells.{k}"
    settings = {**_configured(cell[CONFIG], path, where), **dotted(own)} if CONFIG in cell else dotted(own)
    return Point(settings, _shown(cell[SHOWN], f"{where}: {SHOWN}") if SHOWN in cell else None)


def _configured(name: object, path: Path, where: str) -> Assignment:
    """Return the settings of a configuration; what it calls its weights is left out."""
    if not isinstance(name, str):
        raise ConfigError(f"{where}: {CONFIG}: found {shown(name)}, expected the path of a configuration")
    content = merge(read_file(path.parent / name), {}, name)
    refuse_to_begin_with(content, str(path.parent / name))
    return dotted({key: value for key, value in content.items() if key not in ("load_name", "save_name")})


def _shown(value: object, where: str) -> dict[str, Any]:
    expected = (
        f"expected what tables show, such as {{rule: smin}}, as text of at most {_MAX_TEXT} characters or numbers"
    )
    if not isinstance(value, Mapping) or not value:
        raise ConfigError(f"{where}: found {shown(value)}, {expected}")
    for key, one in value.items():
        is_text = isinstance(one, str) and 0 < len(one) <= _MAX_TEXT and one.isprintable()
        is_key = isinstance(key, str) and 0 < len(key) <= _MAX_TEXT and key.isprintable() and key != "seed"
        if not is_key or not (is_text or (isinstance(one, int | float) and math.isfinite(one))):
            raise ConfigError(f"{where}: found {printable(str(key))}: {shown(one)}, {expected}")
    return dict(value)


def as_shown(cell: Cell, point: Point, known: dict[str, str], where: str) -> Cell:
    """Return a cell by the name that tables give it.

    Parameters
    ----------
    known
        What the cells are shown as, with their seed, by their ids and the other way round; this one is added.

    Raises
    ------
    ConfigError
        If it is shown as a value that a setting does not have, or as another cell is.
    """
    if point.shown is None:
        return cell
    values = setting_values(cell.experiment)
    for key, value in point.shown.items():
        if key in values and values[key] != value:
            raise ConfigError(f"{where}: {SHOWN}: {key} {shown(value)}, but it is {shown(values[key])} in this cell")
    name = json.dumps([sorted(point.shown.items()), cell.seed])
    if known.setdefault(cell.id, name) != name:
        raise ConfigError(f"{where}: has the settings of another cell, which is shown otherwise; expected other ones")
    if known.setdefault(name, cell.id) != cell.id:
        raise ConfigError(f"{where}: {SHOWN}: found what another cell is shown as; expected a name of its own")
    return Cell(cell.id, dict(point.shown), cell.seed, cell.experiment, tuple(point.shown))
