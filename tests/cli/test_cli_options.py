"""Options: those for settings say what the fields say, in one order, and a wrong one is refused at once."""

from __future__ import annotations

import inspect
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from snstdp_cli.cli.app import app
from snstdp_cli.cli.options import EXPERIMENT, FLAGS, OUTPUT, RUNNING, setting_help, setting_schema
from snstdp_cli.config import Experiment

#: Where a command's option means something else than the setting of this name.
OTHERS = {
    ("test", "num_examples"),
    ("evaluate", "num_examples"),
    ("evaluate", "data"),
    ("plot", "data"),
    ("predict", "data"),
    ("trace", "data"),
    ("predict", "num_examples"),
}


def commands(group: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name."""
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


COMMANDS = dict(commands())


def model_field(key: str) -> Any:
    """Return the field of a dotted key, read off the models without their JSON Schema."""
    model: Any = Experiment
    *sections, name = key.split(".")
    for section in sections:
        model = model.model_fields[section].annotation
    return model.model_fields[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_for_a_setting_says_what_the_field_says(name: str) -> None:
    shown = {param.name: param for param in COMMANDS[name].params}
    for flag in FLAGS.keys() & shown.keys():
        if (name, flag) in OTHERS:
            continue
        field = model_field(FLAGS[flag])
        told = shown[flag].help.replace("\\[", "[")
        assert field.description.lower() in told.lower()
        default = re.search(r"\[default: (.*)\]", told)
        if default and flag not in ("save_name", "load_name"):
            assert default.group(1) == f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
        for limit in field.metadata:
            for bound in ("ge", "le", "lt", "gt"):
                if (number := getattr(limit, bound, None)) is not None:
                    assert f"{number:,}" in told


def test_every_flag_is_a_setting_with_a_meaning() -> None:
    for flag, key in FLAGS.items():
        if key in Experiment.model_fields or "." in key:
            assert setting_schema(key)["description"], flag


def test_the_default_of_a_command_stands_in_for_the_fields() -> None:
    assert setting_help("save_name", "initial_<n_e>").endswith("  \\[default: initial_<n_e>]")
    assert setting_help("n_e").endswith("(from 1 to 100,000).  \\[default: 400]")


def test_the_order_of_options_is_the_same_in_all_commands() -> None:
    """Two options that two commands share come in the same order, and so do the panels."""
    orders = {
        name: [p.name for p in command.params if p.param_type_name == "option" and (name, p.name) not in OTHERS]
        for name, command in COMMANDS.items()
    }
    for (one, first), (two, second) in itertools.combinations(orders.items(), 2):
        shared = [option for option in first if option in second]
        assert shared == [option for option in second if option in shared], (one, two)
    for name, command in COMMANDS.items():
        panels = [getattr(p, "rich_help_panel", None) for p in command.params]
        known = [panel for panel in panels if panel in (EXPERIMENT, RUNNING, OUTPUT)]
        assert known == sorted(known, key=(EXPERIMENT, RUNNING, OUTPUT).index), name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_broken_by_the_terminal_and_not_by_its_source(name: str) -> None:
    for paragraph in COMMANDS[name].help.split("\n\n"):
        assert "\n" not in paragraph or paragraph.startswith("[cyan]")


def test_plot_knows_all_kinds_of_figures() -> None:
    from snstdp_cli.plots import KINDS

    for name, kind in KINDS.items():
        assert f"[cyan]{name}[/]" in str(COMMANDS["plot"].help)
        assert kind.figure.meaning in str(COMMANDS["plot"].help)


#: Runs command lines one after the other in a program that has imported nothing yet, and writes what each imported.
ONE_AFTER_THE_OTHER = """
import json, sys
from pathlib import Path
from snstdp_cli.cli import main
found = []
for line in json.load(sys.stdin):
    sys.argv = ["snstdp", *line]
    try:
        main()
    except SystemExit as end:
        found.append([line, end.code, sorted({"numpy", "brian2", "matplotlib", "sympy", "pooch"} & set(sys.modules))])
assert "snstdp_cli.cli.app" in sys.modules
Path("found.json").write_text(json.dumps(found))
"""


def test_what_is_wrong_is_refused_before_anything_slow_is_imported(tmp_path: Path) -> None:
    """A time would depend on the machine: each takes a fifth of a second of a processor on a slow one."""
    lines = [
        *(["--help"], ["train", "--help"]),
        *([*name.split(), "--no-such-option"] for name in COMMANDS),
        *(["train", "--set", "rule.etta=1"], ["run", "--n-e", "0"], ["plot", "feilds"], ["test", "--split", "both"]),
    ]
    command = [sys.executable, "-c", ONE_AFTER_THE_OTHER]
    done = subprocess.run(command, cwd=tmp_path, input=json.dumps(lines), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found == [[line, 0 if "--help" in line else 2, []] for line in lines]


def test_every_command_has_an_example_and_few_lines() -> None:
    for name, command in COMMANDS.items():
        assert f"Example: snstdp {name}" in command.help, name
        lines = inspect.getsource(inspect.unwrap(command.callback)).splitlines()
        body = lines[max(k for k, line in enumerate(lines) if line.strip() == '"""') :]
        assert len(body) <= 40, name


def test_every_command_has_a_file_of_its_name() -> None:
    for name, command in COMMANDS.items():
        module = inspect.unwrap(command.callback).__module__
        assert module == f"snstdp_cli.cli.{name.replace(' ', '_').replace('-', '_')}"
