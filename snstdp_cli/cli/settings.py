"""From what the user gave to an experiment that remembers where each value came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from snstdp_cli.cli.options import GivenSettings
from snstdp_cli.config import (
    Experiment,
    build_experiment,
    merge,
    parse_override,
    read_file,
    setting_leaves,
)

#: Weights that come with the project; `snstdp test` uses them when no name is given.
PRETRAINED = "pretrained_smax_400"


@dataclass(frozen=True)
class Resolved:
    """An experiment with the source of each value that is not a default."""

    experiment: Experiment
    sources: dict[str, str]


def resolve(
    given: GivenSettings,
    base: Experiment | None = None,
    base_name: str = "",
    *,
    run_rule_files: bool = True,
) -> Resolved:
    """Put file, `--set` and flags together; the latter win.

    Parameters
    ----------
    base
        Used in place of a file when none is given, such as the experiment that made some weights.
    run_rule_files
        Whether a rule in a file of the user's is loaded, which runs the file.

    Raises
    ------
    ConfigError
        For a file, key or value that cannot be used; a file must be valid by itself.
    """
    overrides = dict(parse_override(text) for text in given.sets) | given.overrides
    where = str(given.config) if given.config is not None else base_name or "configuration"
    if given.config is None and base is not None:
        experiment = build_experiment(base, overrides, where, run_rule_files=run_rule_files)
        sources = {key: where for key, _ in setting_leaves(base.model_dump())}
    else:
        content = read_file(given.config) if given.config is not None else {}
        experiment = build_experiment(content, overrides, where, run_rule_files=run_rule_files)
        sources = {key: where for key, _ in setting_leaves(merge(content, {}, where))} if content else {}
    return Resolved(experiment, sources | {"rule.name" if key == "rule" else key: "flag" for key in overrides})


def resolve_for_weights(given: GivenSettings, workdir: Path) -> tuple[Experiment, str]:
    """Return the experiment to use with trained weights, and their name.

    Without a configuration file the settings are those that the weights were trained with, as their provenance tells.
    """
    from snstdp_cli.artefacts import Workdir, list_weights, load_weights
    from snstdp_cli.cli.names import checked, no_weights
    from snstdp_cli.errors import ArtefactError

    name, place = given.flags.get("load_name"), Workdir(workdir)
    if name is None and given.config is not None:
        name = resolve(given, run_rule_files=False).experiment.save_name
    name = checked(PRETRAINED if name is None else name, "--load-name")
    if name not in (known := list_weights(place)):
        raise ArtefactError(no_weights(name, known, place))
    weights = load_weights(place, name)
    made = None if weights.record is None else weights.record.experiment
    flags = {**given.flags, "load_name": name}
    if given.config is None and made is None:
        flags.setdefault("n_e", weights.weights.shape[1])
    chosen = GivenSettings(given.config, flags, given.sets)
    return resolve(chosen, made, f"provenance of {name}", run_rule_files=False).experiment, name
