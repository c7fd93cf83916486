"""The command `rules`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_json, print_line, print_note, print_table

if TYPE_CHECKING:
    from snstdp_cli.rules import Rule

#: A rule in a file is tried with the usual time step and number of inputs.
_DT_MS, _N_INPUT = 0.5, 784
#: A longer default is told with the meaning, which needs the room.
_MAX_DEFAULT = 12


def rules(
    name: Annotated[
        str | None, typer.Argument(help="Only this rule; also one of your own: my_rules.py:MY_RULE.")
    ] = None,
    as_json: o.Json = False,
) -> None:
    """List the learning rules with equations, parameters and citation.

    A rule in a file of yours is loaded, which runs the file, and checked with its default parameters.

    Example: snstdp rules smin

    Example: snstdp rules my_rules.py:MY_RULE
    """
    chosen = list(_chosen(name))
    if as_json:
        print_json({rule.name: _as_json(rule) for rule in chosen})
        return
    for rule in chosen:
        _show(rule)
    if name is None:
        print_note("a rule of your own: --rule my_rules.py:MY_RULE; see docs/own-rule.md of the project")


def _chosen(name: str | None) -> Iterator[Rule]:
    """Yield all rules, or the one that was named."""
    from snstdp_cli.rules import RULES, RuleContext, build_plasticity, find_rule, is_rule_file

    if name is None:
        yield from RULES.values()
        return
    rule = find_rule(name, run_files=True)
    if is_rule_file(name):
        build_plasticity(rule, {}, RuleContext(_DT_MS, _N_INPUT))
    yield rule


def _show(rule: Rule) -> None:
    print_line((rule.name, "bold"), f"  {rule.title}")
    for line in rule.equations:
        print_line((line, "green"), indent=4)
    print_line(rule.notes, indent=2)
    print_line((rule.citation, "dim"), indent=2)
    rows = []
    for parameter in _parameters(rule):
        default, meaning = str(parameter["default"]), parameter["description"]
        if parameter["range"]:
            meaning += f" ({parameter['range']})"
        if len(default) > _MAX_DEFAULT:  # a formula
            default, meaning = "", f"{meaning}; default: {default}"
        rows.append((f"  {parameter['key']}", default, meaning))
    print_table(("  parameter", "default", "meaning"), rows)
    print_line("")


def _parameters(rule: Rule) -> list[dict[str, Any]]:
    from snstdp_cli.config import allowed

    schema = rule.parameters.model_json_schema().get("properties", {})
    found = []
    for key, field in schema.items():
        default = field.get("default")
        found.append(
            {
                "key": key,
                "default": f"{default:.6g}" if isinstance(default, float) else default,
                "range": allowed(field),
                "description": field.get("description", ""),
            }
        )
    return found


def _as_json(rule: Rule) -> dict[str, Any]:
    return {
        "title": rule.title,
        "equations": list(rule.equations),
        "notes": rule.notes,
        "citation": rule.citation,
        "parameters": _parameters(rule),
    }
