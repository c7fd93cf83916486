"""Which setting of a study is the baseline of which other."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import printable
from snstdp_cli.fields.values import plain_number
from snstdp_cli.studies.statistics import setting_key, show_value

_MAX_NAMED = 12


@dataclass(frozen=True)
class Match:
    """The baseline of a setting: its place among the settings, or None and a note why there is none."""

    place: int | None
    note: str | None = None


def resolve_baseline(asked: Sequence[str], settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Turn `KEY=VALUE` texts into the values of a study.

    A key may leave out its section where that is clear (`eta` for `rule.eta`), and `rule` is `rule.name`.

    Parameters
    ----------
    asked
        Such as `["rule=triplet"]`.
    settings
        The settings of all cells.

    Raises
    ------
    ConfigError
        If a text has no `=`, or the study does not vary this key or not to this value.

    Examples
    --------
    >>> resolve_baseline(["eta=1e-2"], [{"rule.eta": 0.01}, {"rule.eta": 0.1}])
    {'rule.eta': 0.01}
    """
    against = {}
    for text in asked:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key or not value:
            raise ConfigError(f"--against: found '{printable(text)}', expected KEY=VALUE, such as rule=triplet")
        key = resolve_key(key, settings, "--against")
        known = {setting_key({key: one[key]}): one[key] for one in settings if key in one}
        matching = [one for one in known.values() if _equals(one, value)]
        if not matching:
            names = ", ".join(show_value(one) for one in list(known.values())[:_MAX_NAMED])
            raise ConfigError(
                f"--against {key}={printable(value)}: the study has no such cells; expected one of: {names}"
            )
        against[key] = matching[0]
    return against


def resolve_key(asked: str, settings: Sequence[Mapping[str, Any]], option: str) -> str:
    """Return the varied key that was meant.

    Raises
    ------
    ConfigError
        If there is none, or several could be meant.
    """
    known = list(dict.fromkeys(key for one in settings for key in one))
    if asked in known:
        return asked
    near = [key for key in known if key == f"{asked}.name" or key.endswith(f".{asked}") or f"{key}.name" == asked]
    if len(near) == 1:
        return near[0]
    if not known:
        raise ConfigError(f"{option}: the study varies nothing but the seed")
    close = difflib.get_close_matches(asked, known, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise ConfigError(f"{option}: the study does not vary '{printable(asked)}'; it varies {', '.join(known)}{hint}")


def match_settings(settings: Sequence[Mapping[str, Any]], against: Mapping[str, Any]) -> list[Match | None]:
    """Find the baseline of each setting: equal to it in every varied key but those of `against`.

    A key that only one of the two has need not be equal: a rule's parameter does not exist for another rule. A key
    that moves together with one of `against` all over the study (a group of keys, or settings that were listed so) is
    no reason against a match either, but is told.

    Returns
    -------
    matches
        For each setting; None for a baseline itself.
    """
    baselines = [place for place, one in enumerate(settings) if _is_baseline(one, against)]
    tied = _tied_keys(settings, against)
    free, known = against.keys() | tied, set(baselines)
    exact: dict[str, list[int]] = {}
    for k in baselines:
        exact.setdefault(_rest(settings[k], free), []).append(k)
    matches: list[Match | None] = []
    for place, one in enumerate(settings):
        if place in known:
            matches.append(None)
            continue
        fitting = exact.get(_rest(one, free)) or [k for k in baselines if _agree(one, settings[k], free)]
        matches.append(_match(one, fitting, settings, tied))
    return matches


def _match(
    one: Mapping[str, Any], fitting: Sequence[int], settings: Sequence[Mapping[str, Any]], tied: set[str]
) -> Match:
    if not fitting:
        return Match(None, "the study has no baseline that is equal in all else")
    if len(fitting) > 1:
        open_keys = sorted({key for k in fitting for key in settings[k] if key not in one})
        return Match(None, f"{len(fitting)} baselines fit, which differ in {', '.join(open_keys) or 'other keys'}")
    theirs = settings[fitting[0]]
    differ = sorted(key for key in tied if key in one and key in theirs and one[key] != theirs[key])
    return Match(fitting[0], f"differs in {', '.join(differ)} as well" if differ else None)


def _is_baseline(one: Mapping[str, Any], against: Mapping[str, Any]) -> bool:
    return all(key in one and one[key] == value for key, value in against.items())


def _rest(one: Mapping[str, Any], free: set[str]) -> str:
    return setting_key({key: value for key, value in one.items() if key not in free})


def _agree(one: Mapping[str, Any], other: Mapping[str, Any], free: set[str]) -> bool:
    return all(one[key] == other[key] for key in one.keys() & other.keys() if key not in free)


def _tied_keys(settings: Sequence[Mapping[str, Any]], against: Mapping[str, Any]) -> set[str]:
    """Return the keys whose value each value of a key in `against` determines, and the other way round."""
    tied = set()
    for key in {key for one in settings for key in one} - against.keys():
        for asked in against:
            both = {
                (setting_key({"": one[asked]}), setting_key({"": one[key]}))
                for one in settings
                if {asked, key} <= one.keys()
            }
            firsts, seconds = {a for a, _ in both}, {b for _, b in both}
            if len(both) > 1 and len(both) == len(firsts) == len(seconds):
                tied.add(key)
    return tied


def _equals(value: object, text: str) -> bool:
    if show_value(value) == text or str(value) == text:
        return True
    try:
        return not isinstance(value, bool) and float(plain_number(value)) == float(plain_number(text))
    except ValueError:
        return False
