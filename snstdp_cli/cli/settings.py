"""From a configuration file and flags to an experiment that remembers where each value came from."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snstdp_cli.artefacts import Workdir, list_recorded, list_weights, load_weights
from snstdp_cli.cli.options import ClassifierName, EngineName
from snstdp_cli.config import Experiment, check_name, merge, parse_override, read_file, validate
from snstdp_cli.config_text import setting_leaves
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.rules import RULES, complete, find_rule

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
    experiment = complete(validate(content, where), where)
    for key in overrides:
        if key not in Experiment.model_fields and any(key in rule.parameters.model_fields for rule in RULES.values()):
            raise ConfigError(f"options: unknown key '{key}'; did you mean 'rule.{key}'?")
    sources = {key: where for key, _ in setting_leaves(merge(content, {}, where))} if content else {}
    if overrides:
        merged = merge(_for_rule(content, overrides), overrides, "options")
        experiment = complete(validate(merged, "options"), "options")
        sources |= {"rule.name" if key == "rule" else key: "flag" for key in overrides}
    return Resolved(experiment, sources)


def _for_rule(content: Mapping[str, Any], overrides: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the parameters that a rule chosen by a flag does not have."""
    chosen, settings = overrides.get("rule", overrides.get("rule.name")), content.get("rule")
    if not isinstance(chosen, str) or not isinstance(settings, dict) or settings.get("name") == chosen:
        return content
    known = find_rule(chosen, "options").parameters.model_fields
    return {**content, "rule": {k: v for k, v in settings.items() if k == "name" or k in known}}


def resolve_for_weights(
    config: Path | None, sets: list[str] | None, flags: dict[str, Any], name: str | None, workdir: Workdir
) -> tuple[Experiment, str]:
    """Return the experiment to use with trained weights, and their name.

    Without a configuration file the settings are those that the weights were trained with, as their provenance tells.
    """
    if name is None and config is not None:
        name = resolve(config, sets, flags).experiment.save_name
    name = checked(name or PRETRAINED, "--load-name")
    if name not in (known := list_weights(workdir)):
        raise ArtefactError(_no_weights(name, known, workdir))
    weights = load_weights(workdir, name)
    recorded = weights.provenance.get("experiment")
    base = recorded if isinstance(recorded, dict) else {}
    flags = {**flags, "load_name": name}
    if config is None and not base:
        flags.setdefault("n_e", weights.weights.shape[1])
    return resolve(config, sets, flags, base, f"provenance of {name}").experiment, name


def checked(name: str, flag: str) -> str:
    """Refuse a name that is not a plain file-name stem."""
    try:
        return check_name(name)
    except ValueError as error:
        raise ConfigError(f"{flag}: {error}; found {name[:60]!r}") from None


def known_names(names: list[str], flag: str, workdir: Workdir) -> list[str]:
    """Return names of networks of which there are weights or recordings, each once; without any, the only one.

    Raises
    ------
    ConfigError, ArtefactError
        For a name that cannot be one, that nothing has, or that would be a guess.
    """
    known = sorted({*list_weights(workdir), *list_recorded(workdir)})
    if not names and len(known) == 1:
        return known
    if not names and known:
        raise ConfigError(f"name the network: {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}")
    for name in names or [""]:
        if name not in known:
            raise ArtefactError(_no_weights(checked(name, flag) if name else name, known, workdir))
    return list(dict.fromkeys(names))


def _no_weights(name: str, known: list[str], workdir: Workdir) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        hint = f"; did you mean '{close[0]}'?"
    elif known:
        hint = f"; there are: {', '.join(known[:8])}"
    else:
        hint = "; train a network first (snstdp train), or name another folder by --workdir"
    named = f" named '{name}'" if name else ""
    return f"{workdir.weights}: no weights{named}{hint}"
