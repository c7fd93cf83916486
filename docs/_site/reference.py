"""Directives whose content is the program's own: settings, rules and commands, each from where it is declared once."""

from __future__ import annotations

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from snstdp_cli.cli.app import app as commands
from snstdp_cli.config import allowed, json_schema
from snstdp_cli.config.rule import DEFAULT_RULE
from snstdp_cli.fields import AFFECTS
from snstdp_cli.network.neurons import EXCITATORY, INHIBITORY, split_unit
from snstdp_cli.rules import RULES

#: What the constants of a neuron are, by the name that they have in the equations.
_MEANINGS = {
    "v_rest": "resting voltage",
    "v_reset": "voltage after a spike",
    "v_start": "voltage of a new network",
    "v_offset": "threshold without theta",
    "v_threshold": "threshold",
    "E_exc": "reversal potential of excitation",
    "E_inh": "reversal potential of inhibition",
    "tau": "time constant of the membrane",
    "tau_ge": "time constant of the excitatory conductance",
    "tau_gi": "time constant of the inhibitory conductance",
    "refractory": "refractory time",
}


class Generated(SphinxDirective, ABC):
    """A directive that stands for Markdown made from the program."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Put the Markdown into the page."""
        return self.parse_text_to_nodes("\n".join(self.lines()))

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """Yield the Markdown, a line at a time."""


class Settings(Generated):
    """The settings of a section of the configuration; without an argument those in no section."""

    def lines(self) -> Iterator[str]:
        """Yield an entry for each setting."""
        schema = json_schema()
        if not self.arguments:
            for name, field in schema["properties"].items():
                if not _is_section(name, field):
                    yield from _entry(name, field)
            return
        section = self.arguments[0]
        reference = schema["properties"][section]["anyOf"][0]["$ref"]
        yield from _section_entries(section, reference, schema["$defs"])


class Parameters(Generated):
    """The parameters of a learning rule as a table."""

    required_arguments = 1

    def lines(self) -> Iterator[str]:
        """Yield a row for each parameter."""
        yield "| parameter | default | meaning | values |"
        yield "|---|---|---|---|"
        schema = json_schema()
        for name, field in schema["$defs"][f"rule_{self.arguments[0]}"]["properties"].items():
            if name != "name":
                field = _resolved(field, schema["$defs"])
                cells = (f"`rule.{name}`", _default(field), field.get("description", ""), allowed(field))
                yield f"| {' | '.join(_in_cell(cell) for cell in cells)} |"


class NeuronConstants(Generated):
    """The constants of both kinds of neurons as a table."""

    def lines(self) -> Iterator[str]:
        """Yield a row for each constant; the unit is the end of its name."""
        yield "| constant | excitatory | inhibitory |"
        yield "|---|---|---|"
        both = [dataclasses.asdict(cell) for cell in (EXCITATORY, INHIBITORY)]
        for name in dict.fromkeys([*both[0], *both[1]]):
            unit = split_unit(name)[1].replace("mv", "mV")
            cells = (f"{cell[name]:g} {unit}" if name in cell else "" for cell in both)
            yield f"| {_MEANINGS[split_unit(name)[0]]} | {' | '.join(cells)} |"


class Rules(Generated):
    """Names, titles and sources of the learning rules as a table."""

    def lines(self) -> Iterator[str]:
        """Yield a row for each rule."""
        yield "| rule | what it is | source |"
        yield "|---|---|---|"
        for rule in RULES.values():
            name = f"`{rule.name}`{' (the default)' if rule.name == DEFAULT_RULE else ''}"
            yield f"| {name} | {_in_cell(rule.title)} | {_in_cell(_linked(rule.citation))} |"


class Command(Generated):
    """What a command, or each command of a group, does and takes."""

    required_arguments = 1
    optional_arguments = 0
    final_argument_whitespace = True

    def lines(self) -> Iterator[str]:
        """Yield usage, help and options."""
        found: Any = typer.main.get_command(commands)
        words = self.arguments[0].split()
        for word in words:
            found = found.commands[word]
        for name, command in getattr(found, "commands", {"": found}).items():
            path = " ".join(("snstdp", *words, *([name] if name else [])))
            yield from (f"**{path}**", "") if name else ()
            yield from _command(path, command)


def _command(path: str, command: Any) -> Iterator[str]:
    yield from (f"```{{program}} {path}", "```", "")
    first, *rest = _plain(command.help or "").split("\n\n")
    usage = " ".join([path, *(_argument(one) for one in command.params if _is_argument(one)), "[OPTIONS]"])
    yield from ("```text", usage, "```", "", first, "")
    for paragraph in rest:
        label, colon, line = paragraph.partition("Example: ")
        if colon and not label:
            yield from ("```sh", " ".join(line.split()), "```", "")
        else:
            yield from ("```text", *paragraph.splitlines(), "```", "") if "  " in paragraph else (paragraph, "")
    for parameter in command.params:
        if _is_argument(parameter) and parameter.help:
            yield from (f"`{_argument(parameter)}`: {_plain(parameter.help)}", "")
    for parameter in command.params:
        if not _is_argument(parameter) and not parameter.hidden:
            yield from _option(parameter)


def _option(option: Any) -> Iterator[str]:
    flags = [*option.opts, *option.secondary_opts]
    value = "" if option.is_flag else f" <{(option.metavar or _kind(option)).strip('<>')}>"
    default = option.default
    is_told = option.show_default and not option.is_flag and default not in (None, [], ())
    shown = f" (default: {getattr(default, 'value', default)})" if is_told else ""
    yield from (f"```{{option}} {', '.join(f'{flag}{value}' for flag in flags)}", _plain(option.help or "") + shown)
    yield from ("```", "")


def _kind(option: Any) -> str:
    name = getattr(option, "human_readable_type", None) or getattr(getattr(option, "type", None), "name", None)
    return str(name or option.name).lower()


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _argument(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _plain(text: str) -> str:
    """Take Rich's markup away."""
    return re.sub(r"(?<!\\)\[/?[a-z ]*\]", "", text).replace("\\[", "[")


def _entry(key: str, field: Mapping[str, Any]) -> Iterator[str]:
    description = field.get("description", "")
    facts = [
        f"Default {_default(field)}",
        allowed(field),
        f"affects {', '.join(field.get(AFFECTS, ())) or 'no result'}",
    ]
    yield from (f"```{{confval}} {key}", f"{description[:1].upper()}{description[1:]}.", "")
    yield from (f"*{_escaped('; '.join(filter(None, facts)))}.*", "```", "")


def _section_entries(section: str, reference: str, definitions: Mapping[str, Any]) -> Iterator[str]:
    """Yield an entry for each setting of a section, and of the parts that it has."""
    for name, field in definitions[reference.rpartition("/")[2]]["properties"].items():
        key = f"{section}.{name}"
        if "$ref" in field:
            yield from _section_entries(key, field["$ref"], definitions)
        else:
            yield from _entry(key, field)


def _is_section(name: str, field: Mapping[str, Any]) -> bool:
    return name == "rule" or any("$ref" in choice for choice in field.get("anyOf", ()))


def _default(field: Mapping[str, Any]) -> str:
    value = field.get("default")
    if value is None:
        return "none"
    shown = f"{value:.6g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else value
    return f"`{shown}`"


def _resolved(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    reference = field.get("$ref", "").rpartition("/")[2]
    return {**definitions.get(reference, {}), **field}


def _in_cell(text: str) -> str:
    """Keep a cell a cell."""
    return _escaped(text.replace("|", "\\|"))


def _escaped(text: str) -> str:
    """Take underscores and stars for letters outside of code and links."""
    parts = re.split(r"(`[^`]*`|<[^>]*>)", text)
    return "".join(part if part[:1] in ("`", "<") else re.sub(r"([*_])", r"\\\1", part) for part in parts)


def _linked(text: str) -> str:
    return re.sub(r"doi:(\S+)", r"<https://doi.org/\1>", text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    for name, directive in (
        ("settings", Settings),
        ("rule-parameters", Parameters),
        ("rules", Rules),
        ("neuron-constants", NeuronConstants),
        ("command", Command),
    ):
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
