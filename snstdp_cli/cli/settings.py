"""From a configuration file and flags to an experiment that remembers where each value came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snstdp_cli.artefacts import Workdir, list_weights, load_weights
from snstdp_cli.cli.names import checked, no_weights
from snstdp_cli.cli.options import ClassifierName, EngineName
from snstdp_cli.config import (
    Experiment,
    build_experiment,
    merge,
    parse_override,
    read_file,
    recorded_experiment,
    setting_leaves,
)
from snstdp_cli.errors import ArtefactError

#: Weights that come with the project; `snstdp test` uses them when no name is given.
PRETRAINED = "pretrained_smax_400"


@dataclass(frozen=True)
class Resolved:
    """An experiment with the source of each value that is not a default."""

    experiment: Experiment
    sources: dict[str, str]


def setting_flags(
    n_e: int | None = None,
    rule: str | None = None,
    dt: float | None = None,
    num_examples: int | None = None,
    load_name: str | None = None,
    save_name: str | None = None,
    seed: int | None = None,
    data: str | None = None,
    engine: EngineName | None = None,
    classifier: ClassifierName | None = None,
) -> dict[str, Any]:
    """Return the settings that flags stand for."""
    return {
        "n_e": n_e,
        "rule": rule,
        "dt": dt,
        "num_examples": num_examples,
        "load_name": load_name,
        "save_name": save_name,
        "seed": seed,
        "data": data,
        "engine": None if engine is None else engine.value,
        "evaluation.classifier": None if classifier is None else classifier.value,
    }


def resolve(
    config: Path | None,
    sets: list[str] | None,
    flags: Mapping[str, Any],
    base: Mapping[str, Any] | None = None,
    base_name: str = "",
    *,
    run_rule_files: bool = True,
) -> Resolved:
    """Put file, `--set` and flags together; the latter win.

    Parameters
    ----------
    flags : dotted key -> value; None where the flag was not given.
    base : used in place of a file when none is given, such as the experiment that made some weights.

    Raises
    ------
    ConfigError
        For a file, key or value that cannot be used; a file must be valid by itself.
    """
    content: Mapping[str, Any] = read_file(config) if config is not None else dict(base or {})
    where = str(config) if config is not None else base_name or "configuration"
    overrides = dict(parse_override(text) for text in sets or [])
    overrides |= {key: value for key, value in flags.items() if value is not None}
    experiment = build_experiment(content, overrides, where, run_rule_files=run_rule_files)
    sources = {key: where for key, _ in setting_leaves(merge(content, {}, where))} if content else {}
    sources |= {"rule.name" if key == "rule" else key: "flag" for key in overrides}
    return Resolved(experiment, sources)


def resolve_for_weights(
    config: Path | None, sets: list[str] | None, flags: dict[str, Any], name: str | None, workdir: Workdir
) -> tuple[Experiment, str]:
    """Return the experiment to use with trained weights, and their name.

    Without a configuration file the settings are those that the weights were trained with, as their provenance tells.
    """
    if name is None and config is not None:
        name = resolve(config, sets, flags, run_rule_files=False).experiment.save_name
    name = checked(name or PRETRAINED, "--load-name")
    if name not in (known := list_weights(workdir)):
        raise ArtefactError(no_weights(name, known, workdir))
    weights = load_weights(workdir, name)
    recorded = weights.provenance.get("experiment")
    base = recorded_experiment(recorded, name).model_dump(mode="json") if isinstance(recorded, dict) else {}
    flags = {**flags, "load_name": name}
    if config is None and not base:
        flags.setdefault("n_e", weights.weights.shape[1])
    return resolve(config, sets, flags, base, f"provenance of {name}", run_rule_files=False).experiment, name
