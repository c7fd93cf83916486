"""One experiment of a study: built by the same code as a single one, and named by its fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snstdp_cli.config import (
    Experiment,
    build_experiment,
    fingerprint,
    identifying_settings,
    merge,
    setting_leaves,
    settings_of,
)
from snstdp_cli.config.rule import DEFAULT_RULE
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import shown
from snstdp_cli.network.neurons import generation
from snstdp_cli.rules import find_rule, is_rule_file
from snstdp_cli.studies.axes import Assignment

#: What the weights of a cell are called; a cell is a working folder of its own.
CELL_NAME = "network"


@dataclass(frozen=True, eq=False)
class Cell:
    """One experiment of a study.

    Attributes
    ----------
    id
        Fingerprint of the experiment.
    settings
        The varied settings by dotted key, as far as the experiment has them; `rule` is the rule's name.
    named
        Keys of the settings that the cell is told by: of a list of cells, those that this one sets itself.
    """

    id: str
    settings: dict[str, Any]
    seed: int
    experiment: Experiment
    named: tuple[str, ...]

    @property
    def label(self) -> str:
        """The varied settings and the seed in a few words, such as `rule=smax, n_e=100, seed 2`."""
        return ", ".join([*(f"{key}={_short(self.settings[key])}" for key in self.named), f"seed {self.seed}"])


def build_cell(
    base: Mapping[str, Any], settings: Assignment, seed: int, keys: Sequence[str], where: str = "study"
) -> Cell:
    """Build the experiment of one cell by the same call as a single one.

    Parameters
    ----------
    settings
        Dotted keys that win over `base`. Parameters that the cell's rule does not have are left out.

    Raises
    ------
    ConfigError
        For a key or value that cannot be used.
    """
    return make_cell(build_cell_experiment(base, {**settings, "seed": seed}, where), keys, keys)


def cell_id(experiment: Experiment) -> str:
    """Return a cell's name: the fingerprint of all settings that affect anything, the images by their name."""
    return fingerprint({"generation": generation(), **identifying_settings(experiment)})


def training_key(experiment: Experiment) -> str:
    """Return the fingerprint of all settings that shape a training, the images by their name."""
    settings = {"training": settings_of(experiment, "training"), **settings_of(experiment, "data")}
    return fingerprint({"generation": generation(), **settings})


def refuse_to_begin_with(content: Mapping[str, Any], where: str) -> None:
    """Raise `ConfigError` if a configuration names weights to begin with, which a cell's own folder does not have."""
    if content.get("load_name") is not None:
        raise ConfigError(
            f"{where}: load_name: found {shown(content['load_name'])}; cells are folders of their own and begin with "
            "drawn weights: leave load_name out"
        )


def build_cell_experiment(base: Mapping[str, Any], settings: Assignment, where: str) -> Experiment:
    """Build an experiment; a rule chosen by a setting keeps those parameters that it has."""
    name, given = settings.get("rule"), base.get("rule", {})
    kept = base
    parameters = _parameters(name if name is not None else given.get("name") if isinstance(given, dict) else None)
    if isinstance(given, dict) and name is not None and name != given.get("name"):
        kept = {**base, "rule": {key: value for key, value in given.items() if key in parameters}}
    own = {key: value for key, value in settings.items() if _applies(key, parameters)}
    return build_experiment(merge(kept, {**own, "save_name": CELL_NAME}, where), {}, where)


def _parameters(rule: Any) -> set[str]:
    """Return the names of a rule's parameters; a rule in a file is run, which the study named."""
    name = rule if isinstance(rule, str) else DEFAULT_RULE
    try:
        return set(find_rule(name, run_files=is_rule_file(name)).parameters.model_fields)
    except ConfigError:
        return set()  # told when the experiment is built


def _applies(key: str, parameters: set[str]) -> bool:
    section, _, name = key.partition(".")
    return section != "rule" or not name or not parameters or name in parameters


def make_cell(experiment: Experiment, keys: Sequence[str], named: Iterable[str]) -> Cell:
    """Return the cell of an experiment.

    Parameters
    ----------
    keys
        What varies in the study, as far as the experiment has it.
    named
        Those of the keys that the cell is told by.
    """
    values = setting_values(experiment)
    settings = {key: values[key] for key in keys if key in values}
    told = tuple(key for key in named if key in settings)
    return Cell(cell_id(experiment), settings, experiment.seed, experiment, told)


def setting_values(experiment: Experiment) -> dict[str, Any]:
    """Return all settings of an experiment by dotted key; `rule` is the rule's name."""
    leaves = dict(setting_leaves(experiment.model_dump(mode="json")))
    return {"rule": leaves.pop("rule.name"), **leaves}


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
