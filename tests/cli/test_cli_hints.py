"""What the program proposes to do next can be copied into a shell as it stands, and works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from forked import program
from synthetic import SMALL, write_idx_set
from typer.testing import CliRunner

from snstdp_cli.artefacts import Workdir
from snstdp_cli.cli.app import app
from snstdp_cli.cli.hints import next_command
from snstdp_cli.cli.names import require_recordings
from snstdp_cli.errors import ArtefactError

#: A folder whose name a shell would take for a command.
WORKDIR = "it's $(touch pwned) work"


def shell(folder: Path, command: str, code: int = 0) -> str:
    """Run a command line in a shell, as a user who copies it; return what it printed."""
    path = f"{program().parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, f"{command}\n{done.stderr}{done.stdout}"
    return done.stdout + done.stderr


def hints(text: str) -> list[str]:
    return re.findall(r"^next: (.*)$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hints")
    write_idx_set(folder / "the data")
    (folder / "small.yaml").write_text(yaml.safe_dump(SMALL))
    return folder


@pytest.mark.compiles
def test_following_the_hints_leads_from_a_training_to_a_report(place: Path) -> None:
    """Data and results are in folders that must be named each time."""
    where = f"--data-dir 'the data' --workdir {shlex.quote(WORKDIR)}"
    waiting = [f"snstdp train --config small.yaml --save-name mine --seed 3 {where}"]
    followed = []
    while waiting:
        command = waiting.pop()
        followed.append(shlex.split(command)[1:3])
        waiting += hints(shell(place, command))
    assert followed == [["train", "--config"], ["test", "--load-name"], ["test", "--load-name"], ["evaluate", "mine"]]
    both = hints(shell(place, f"snstdp run --config small.yaml --save-name other {where}"))
    assert [shlex.split(hint)[1] for hint in both] == ["plot", "report"]
    for hint in both:
        assert WORKDIR in shell(place, hint)
    assert not (place / "pwned").exists()


@pytest.mark.compiles
def test_initial_weights_and_a_new_configuration_lead_to_a_run(place: Path) -> None:
    """The next command gets the settings that this one was given."""
    start = "snstdp init-weights --config small.yaml --n-input 36 --seed 4 --set network.weight_init=0.2"
    (train,) = hints(shell(place, f"{start} --rule smin"))
    for part in ("--config small.yaml", "--n-e 8", "--rule smin", "--seed 4", "--set network.weight_init=0.2"):
        assert part in train
    shell(place, f"{train} --data-dir 'the data'")
    # The whole small experiment in flags: the network that other tests compile.
    chosen = {
        f"{name}.{key}": value for name in ("rule", "network", "presentation") for key, value in SMALL[name].items()
    }
    sets = " ".join(f"--set {key}={value}" for key, value in {"chunk": SMALL["chunk"], **chosen}.items())
    command = f"snstdp init 'my own.yaml' --n-e 8 --num-examples 10 {sets}"
    (run,) = hints(shell(place, command))
    assert run == "snstdp run --config 'my own.yaml'"
    shell(place, f"{run} --data-dir 'the data'")


def test_what_is_missing_is_told_with_the_command_that_makes_it(place: Path) -> None:
    workdir = shlex.quote("some $(place)")
    shell(place, f"snstdp init-weights --n-e 4 --n-input 36 --save-name bare --workdir {workdir}")
    told = shell(place, f"snstdp evaluate --compare bare pretrained --workdir {workdir}", code=2)
    assert "no weights named 'pretrained'" in told
    told = shell(place, f"snstdp evaluate bare --workdir {workdir}", code=2)
    assert f"snstdp test --load-name bare --split train --workdir {workdir}" in told


def test_the_command_that_records_what_is_missing_names_the_images_too(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"test --load-name bare --split train --data-dir 'the data' --workdir"):
        require_recordings(Workdir(tmp_path), "bare", ["train"], Path("the data"))


def test_every_hint_about_a_long_run_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shutil.which", lambda _: "/bin/snstdp")
    told = CliRunner().invoke(app, ["init", "long.yaml"], env={"COLUMNS": "200"}).output
    assert len(hints(told)) == 2
    for hint in hints(told):
        words = shlex.split(hint)
        command: Any = typer.main.get_command(app)
        command.commands[words[1]].make_context(words[1], words[2:])


def test_a_hint_cannot_name_an_option_that_the_command_has_not() -> None:
    with pytest.raises(LookupError, match="test has no option n_e"):
        next_command("test", load_name="x", n_e=4)
    with pytest.raises(LookupError):
        next_command("tset")


def test_values_reach_the_program_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/bin/snstdp")
    line = next_command("test", load_name="-x", workdir=Path("/x $(id)"), sets=["a=`id`", "b=1"], quiet=True)
    assert shlex.split(line) == [
        *("snstdp", "test", "--load-name=-x", "--set", "a=`id`", "--set", "b=1"),
        *("--workdir", "/x $(id)", "--quiet"),
    ]
    assert next_command("plot", "fields", "-x", workdir=Path()) == "snstdp plot -- fields -x"


def test_the_program_is_named_as_it_was_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["/somewhere/snstdp_cli/__main__.py"])
    assert next_command("rules") == f"{Path(sys.executable).name} -m snstdp_cli rules"


def test_the_subset_is_told_only_where_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error must not contradict the notice before it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(app, ["train", "--data-dir", "empty"], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert "bundled subset" not in result.output
    assert "empty" in result.output
