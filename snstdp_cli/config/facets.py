"""What shapes what: the settings of a facet, their fingerprint, and which settings differ.

All of it is read off the fields of the models and of the rules' parameters (`snstdp_cli.fields.setting`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from snstdp_cli.config.experiment import Experiment
from snstdp_cli.config.rule import RuleSettings
from snstdp_cli.fields import AFFECTS, FACETS, Facet, is_later, printable
from snstdp_cli.rules import RULES

#: Counts up when the same settings begin to give other spikes or weights.
GENERATION = 2
_ABSENT = "not there"

#: What `order` was up to version 0.2: a switch, which identities go on to hold.
_SHUFFLE = "shuffle"


@cache
def affected(key: str) -> frozenset[Facet]:
    """Return the facets that a setting affects, by its dotted key; a rule's parameters affect what its name does."""
    if key == _SHUFFLE:
        key = "order"
    model: type[BaseModel] = Experiment
    *sections, name = key.split(".")
    for section in sections:
        if section == "rule":
            model, name = RuleSettings, "name"
            break
        model = model.model_fields[section].annotation  # type: ignore[assignment]
    extra = model.model_fields[name].json_schema_extra
    assert isinstance(extra, dict), f"{key} does not say what it affects"
    return frozenset(facet for facet in FACETS if facet in extra[AFFECTS])  # type: ignore[operator]


def setting_leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each setting with its dotted key."""
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from setting_leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def setting_fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield the field of each setting with its dotted key, also those of sections in sections."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_fields(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def settings_of(experiment: Experiment, facet: Facet, without: Iterable[str] = ()) -> dict[str, Any]:
    """Return the settings that shape a facet, by dotted key, but for the keys in `without`."""
    leaves = identifying_settings(experiment)
    return {key: value for key, value in leaves.items() if facet in affected(key) and key not in without}


def identifying_settings(experiment: Experiment) -> dict[str, Any]:
    """Return all settings that affect anything, by dotted key, without later ones that are at their defaults."""
    leaves = dict(setting_leaves(experiment.model_dump(mode="json")))
    later = _later_defaults_of(experiment.rule.name)
    leaves = {key: value for key, value in leaves.items() if key not in later or value != later[key]}
    leaves[_SHUFFLE] = leaves.get("order") == "shuffled"
    if leaves[_SHUFFLE]:
        del leaves["order"]
    return {key: value for key, value in leaves.items() if affected(key)}


def _later_defaults_of(rule: object) -> dict[str, Any]:
    """Return the defaults of all settings that came later, by dotted key; with those of a rule that comes with us.

    Parameters
    ----------
    rule
        Its name; a file that was changed may say anything.
    """
    later = _later_defaults(Experiment)
    if isinstance(rule, str) and rule in RULES:
        later = later | _later_defaults(RULES[rule].parameters, "rule.")
    return later


@cache  # for a study of many cells
def _later_defaults(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    return dict(_find_later(model, prefix))


def _find_later(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield each setting that came later, or each one of a section that did, with its default."""
    for name, field in model.model_fields.items():
        if is_later(field):
            usual = field.get_default(call_default_factory=True)
            plain = usual.model_dump(mode="json") if isinstance(usual, BaseModel) else usual
            yield from setting_leaves({name: plain}, prefix)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _find_later(field.annotation, f"{prefix}{name}.")


def fingerprint(content: Mapping[str, Any]) -> str:
    """Return a short digest of settings and whatever else tells two things apart; the same for equal content.

    Examples
    --------
    >>> fingerprint({"n_e": 400, "dt": 0.5}) == fingerprint({"dt": 0.5, "n_e": 400})
    True
    """
    text = json.dumps({"generation": GENERATION, **content}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Return a note for each key in which two groups of settings differ.

    A setting that came later is told at its default where it is missing: results that are older were made as if by it.

    Examples
    --------
    >>> differences({"n_e": 400, "dt": 0.5}, {"n_e": 400, "dt": 0.1})
    ['dt (0.5, there 0.1)']
    >>> differences({"n_e": 400, "arithmetic": "single"}, {"n_e": 400})
    ['arithmetic (single, there double)']
    """
    notes = []
    ours, theirs = (_complete(one, ours.keys() | theirs.keys()) for one in (ours, theirs))
    for key in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(key, _ABSENT), theirs.get(key, _ABSENT)
        if here == there and type(here) is type(there):
            continue
        pair = _note(here), _note(there)
        # Numbers that differ only in digits that a note leaves out are written in full.
        pair = pair if pair[0] != pair[1] else (repr(here), repr(there))
        notes.append(f"{key} ({pair[0]}, there {pair[1]})")
    return notes


def _complete(settings: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return settings as a reader knows them: with those of `keys` that came later, and `order` as it is set today."""
    whole = {key: value for key, value in _later_defaults_of(settings.get("rule.name")).items() if key in keys}
    whole |= settings
    if _SHUFFLE in whole:
        whole["order"] = "shuffled" if whole.pop(_SHUFFLE) else settings.get("order", "as_is")
    return whole


def differing_settings(experiments: Sequence[Experiment | None]) -> list[dict[str, Any]]:
    """Return for each experiment the settings in which any two differ, by dotted key, as far as it has them.

    Settings that affect nothing, such as names, are left out. A rule's parameters are compared among the experiments
    that have them. `None` stands for an experiment of which no settings are known.
    """
    rows = [{} if one is None else dict(setting_leaves(one.model_dump(mode="json"))) for one in experiments]
    keys = dict.fromkeys(key for row in rows for key in row if affected(key))
    apart = [key for key in keys if len({json.dumps(row[key]) for row in rows if key in row}) > 1]
    return [{key: row[key] for key in apart if key in row} for row in rows]


def setting_notes(settings: Mapping[str, Any]) -> list[str]:
    """Return settings as short notes, such as `rule.eta 0.02`."""
    return [f"{key} {_note(value)}" for key, value in settings.items()]


def _note(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else printable(str(value))
