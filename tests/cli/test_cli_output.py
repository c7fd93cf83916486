"""Output never ends the work, a terminal obeys no file's content, and an odd environment is no traceback."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import typer
import yaml
from forked import program
from rich.console import Console
from synthetic import SMALL, write_idx_set
from typer.testing import CliRunner

from snstdp_cli.cli import console, live, streams
from snstdp_cli.cli.app import app
from snstdp_cli.cli.console import print_error, print_files, print_json, print_line, print_table, visible
from snstdp_cli.cli.failures import reported
from snstdp_cli.evaluation import CurvePoint

PROGRAM = Path(sys.executable).with_name("snstdp")
EVIL = "\x1b]0;owned\x07\x9b31m\r\u202e\x7f"
ORDERS = {character for character in EVIL if not character.isprintable()}
CONTROLS = [
    *map(chr, range(9)),
    "\t",
    "\x0b",
    "\x0c",
    "\r",
    *map(chr, range(14, 32)),
    *map(chr, range(127, 160)),
    "\u202e",
]


def shell(folder: Path, command: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command line in a shell; `snstdp` is this program."""
    script = f'snstdp() {{ "{PROGRAM}" "$@"; }}\n{command}'
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, **variables},
    )
    assert b"Traceback" not in done.stderr + done.stdout, done.stderr
    assert b"Exception ignored" not in done.stderr
    return done


#: Runs command lines, one after the other, in one program.
_LINES = """
import glob, json, os, sys
from snstdp_cli.cli import main
codes = []
for line in json.loads(os.environ["LINES_TO_RUN"]):
    sys.argv = ["snstdp", *(name for word in line.split() for name in glob.glob(word) or [word])]
    try:
        main()
    except SystemExit as end:
        codes.append(end.code)
with open("codes.json", "w") as file:
    json.dump(codes, file)
"""
#: Put before it: the system knows no user.
_NOBODY = "import pwd\ndef missing(_): raise KeyError\npwd.getpwuid = pwd.getpwnam = missing\n"


def exit_codes(folder: Path, lines: tuple[str, ...], before: str = "", **variables: str | None) -> list[int]:
    """Run command lines in one program with these variables of the environment; return their exit codes."""
    environment = {**os.environ, "LINES_TO_RUN": json.dumps(lines), **variables}
    done = subprocess.run(
        [sys.executable, "-c", before + _LINES],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
        env={key: value for key, value in environment.items() if value is not None},
    )
    assert b"Traceback" not in done.stderr + done.stdout, done.stderr
    assert b"Exception ignored" not in done.stderr
    codes: list[int] = json.loads((folder / "codes.json").read_text())
    assert len(codes) == len(lines)
    return codes


def save_plain(folder: Path, name: str) -> None:
    """Save weights of two neurons as the ancestor does, without a record."""
    (folder / "weights").mkdir()
    np.save(folder / "weights" / f"XeAe{name}.npy", np.ones(8))
    np.save(folder / "weights" / f"theta_A{name}.npy", np.full(2, 0.02))


class TestStreams:
    """A result that cannot be printed gives exit code 1; a log that cannot be written, nothing."""

    def test_results_on_a_full_disk(self, tmp_path: Path) -> None:
        done = shell(tmp_path, "snstdp rules > /dev/full")
        assert done.returncode == 1
        assert b"error the result could not be printed: standard output: No space left on device" in done.stderr

    @pytest.mark.parametrize("command", ["rules", "rules --json", "--help", "--version", "config show"])
    def test_closed_standard_output(self, tmp_path: Path, command: str) -> None:
        assert shell(tmp_path, f"snstdp {command} >&-").returncode == 1

    @pytest.mark.parametrize("redirected", ["2> /dev/full", "2>&-"])
    def test_a_log_that_breaks_is_dropped(self, tmp_path: Path, redirected: str) -> None:
        done = shell(tmp_path, f"snstdp rules {redirected}")
        assert done.returncode == 0
        assert b"triplet" in done.stdout
        assert shell(tmp_path, f"snstdp rules nothing {redirected}").returncode == 2

    def test_a_pipe_that_nobody_reads(self, tmp_path: Path) -> None:
        done = shell(tmp_path, "snstdp rules 2>&1 | head -1; echo ${PIPESTATUS[0]}")
        assert done.stdout.startswith(b"smax")
        assert done.stderr == b""

    def test_all_closed(self, tmp_path: Path) -> None:
        assert shell(tmp_path, "snstdp --nothing <&- >&- 2>&-").returncode == 2

    def test_a_file_that_is_opened_does_not_take_the_place_of_closed_output(self, tmp_path: Path) -> None:
        assert shell(tmp_path, "snstdp init my.yaml >&- 2>&-").returncode == 1
        assert (tmp_path / "my.yaml").read_text().startswith("# Configuration of snstdp")

    @pytest.mark.compiles
    def test_a_training_goes_on_when_its_log_and_its_output_break(self, tmp_path: Path) -> None:
        write_idx_set(tmp_path / "MNIST")
        (tmp_path / "small.yaml").write_text(yaml.safe_dump(SMALL))
        done = shell(tmp_path, "snstdp train --config small.yaml --save-name a 2>&1 | head -1; echo ${PIPESTATUS[0]}")
        assert done.stdout.splitlines()[-1] == b"1"
        assert (tmp_path / "weights" / "XeAea.npy").exists()
        assert shell(tmp_path, "snstdp train --config small.yaml --save-name b > /dev/full 2>&-").returncode == 1
        assert (tmp_path / "weights" / "XeAeb.npy").exists()

    def test_a_pipe_that_does_not_wait_gets_all(self) -> None:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        child = os.fork()
        if child == 0:
            os.close(reader)
            file = streams.LossyFile(writer)
            file.write(b"x" * 1_000_000)
            os._exit(0 if file.lost is None else 1)
        os.close(writer)
        with os.fdopen(reader, "rb") as file:
            assert len(file.read()) == 1_000_000
        assert os.waitpid(child, 0)[1] == 0


class TestTerminals:
    """Text from files reaches a terminal with control characters written out."""

    @pytest.mark.parametrize("character", CONTROLS, ids=ascii)
    def test_no_control_character_is_printed(self, character: str, capsys: pytest.CaptureFixture[str]) -> None:
        text = f"a{character}b"
        print_line(text, (text, "bold"))
        print_error(text)
        print_files([Path(text)])
        print_table(("one", "two"), [(text, text)])
        print_json({text: text})
        captured = capsys.readouterr()
        assert character not in captured.out + captured.err

    def test_printable_text_is_left_as_it_is(self) -> None:
        assert visible("naïve 学習 ±3 %, [bold]") == "naïve 学習 ±3 %, [bold]"
        assert visible("two\nlines") == "two\\nlines"
        assert visible("two\nlines", lines=True) == "two\nlines"
        assert visible(os.fsdecode(b"\xff")) == "\\udcff"

    def test_json_stays_valid(self, capsys: pytest.CaptureFixture[str]) -> None:
        content = {"a": [math.nan, math.inf, 0.5], "b": EVIL, "c": os.fsdecode(b"\xff"), "d": Path("x")}
        print_json(content)
        printed = capsys.readouterr().out
        assert printed.isascii()
        assert json.loads(printed, parse_constant=pytest.fail) == {**content, "a": [None, None, 0.5], "d": "x"}

    def test_settings_and_names_of_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "my.yaml").write_text(json.dumps({"data": f"./{EVIL}", EVIL: 1, "rule": f"{EVIL}.py:X"}))
        odd = tmp_path / f"{EVIL}.yaml"
        odd.write_text("rule: my.py:X\n")
        for arguments in (
            ["config", "check", "my.yaml"],
            ["config", "check", odd.name],
            ["config", "show", odd.name],
            ["config", "show", "--set", f"rule.name={EVIL}"],
            ["plot", EVIL],
            ["evaluate", EVIL],
            ["init", f"new{EVIL}.yaml"],
            ["train", "--data", f"./{EVIL}", "--engine", "runtime"],
            ["data", "fetch", EVIL],
            ["data", "info", "--data-dir", EVIL],
        ):
            printed = CliRunner().invoke(app, arguments, env={"COLUMNS": "300"}).output
            assert printed
            assert not set(printed) & ORDERS, arguments

    def test_provenance_of_weights_that_somebody_sent(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        save_plain(tmp_path, "sent")
        (tmp_path / "weights" / "sent.json").write_text(
            json.dumps({"experiment": {"rule": {"name": "smin"}, EVIL: EVIL, "data": EVIL}, "data": {"name": EVIL}})
        )
        for arguments in (["test", "--load-name", "sent"], ["plot", "raster", "sent"], ["plot", "all", "sent"]):
            printed = CliRunner().invoke(app, arguments, env={"COLUMNS": "300"}).output
            assert not set(printed) & ORDERS, arguments

    def test_rules_give_the_meaning_room_in_a_narrow_terminal(self, tmp_path: Path) -> None:
        for columns in ("80", "120"):
            done = shell(tmp_path, "snstdp rules smin", COLUMNS=columns)
            lines = done.stdout.decode().splitlines()
            (head,) = (line for line in lines if line.strip().startswith("parameter"))
            assert int(columns) - head.index("meaning") >= 45
            assert max(map(len, lines[lines.index(head) :])) <= int(columns)


class TestEnvironment:
    """What is odd about a machine is a sentence, or no matter."""

    @pytest.mark.parametrize(
        "variables",
        [
            {"COLUMNS": "99999999"},
            {"COLUMNS": "0"},
            {"COLUMNS": "²"},
            {"COLUMNS": "-3", "LINES": "x"},
            {"TERMINAL_WIDTH": "wide"},
            {"TERMINAL_WIDTH": "999999999"},
        ],
        ids=str,
    )
    def test_help_at_any_width(self, tmp_path: Path, variables: dict[str, str]) -> None:
        done = shell(tmp_path, f"{program()} --help", **variables)
        assert done.returncode == 0
        assert len(done.stdout) < 200_000

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-16"])
    def test_any_encoding(self, tmp_path: Path, encoding: str) -> None:
        locale = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        (tmp_path / "é学.yaml").write_text("n_e: 3")
        lines = ("run --help", "rules", "config check *.yaml", "--nothing")
        assert exit_codes(tmp_path, lines, **locale, PYTHONIOENCODING=encoding) == [0, 0, 0, 2]

    def test_a_folder_with_a_byte_that_is_no_text(self, tmp_path: Path) -> None:
        folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
        folder.mkdir()
        script = "init my.yaml && snstdp config check my.yaml && snstdp init-weights --n-e 2 --workdir $PWD --json"
        done = shell(folder, f"snstdp {script}")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout[done.stdout.index(b"{") :])["n_e"] == 2

    def test_a_folder_that_is_gone(self, tmp_path: Path) -> None:
        done = shell(tmp_path, "mkdir gone; cd gone; rmdir ../gone; snstdp init my.yaml; snstdp rules smax")
        assert done.returncode == 0

    def test_neither_a_home_nor_an_entry_for_the_user(self, tmp_path: Path) -> None:
        save_plain(tmp_path, "some")
        lines = ("rules", "config show", "data info", "evaluate", "config check ~/my.yaml", "rules ~/my.py:RULE")
        lines += ("train --data ~/my.npz", "plot weights some")
        codes = exit_codes(tmp_path, lines, _NOBODY, HOME=None, XDG_CACHE_HOME=None)
        assert codes[:2] == [0, 0]
        assert codes[4:7] == [2, 2, 2]
        assert set(codes) <= {0, 1, 2}

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            (RuntimeError("can't start new thread"), "ulimit -u"),
            (
                BlockingIOError(11, "Resource temporarily unavailable"),
                "Resource temporarily unavailable; check the limits",
            ),
            (PermissionError(13, "Permission denied", "figures"), "figures: Permission denied"),
            (MemoryError(), "not enough memory"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_limits_of_the_machine(self, error: Exception, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
        def fail() -> None:
            raise error

        with pytest.raises(typer.Exit) as end:
            reported(fail)()
        assert end.value.exit_code == 1
        assert sentence in capsys.readouterr().err

    def test_a_fault_of_the_program_keeps_its_traceback(self) -> None:
        def fail() -> None:
            raise RuntimeError("a fault")

        with pytest.raises(RuntimeError, match="a fault"):
            reported(fail)()

    def test_a_backend_for_figures_that_does_not_exist(self, tmp_path: Path) -> None:
        save_plain(tmp_path, "some")
        done = shell(tmp_path, "snstdp plot weights some", MPLBACKEND="nonsense")
        assert done.returncode in (0, 2), done.stderr
        assert b"nonsense" not in done.stderr


def test_only_the_consoles_and_live_views_print() -> None:
    """So that nothing passes by `visible`."""
    folder = Path(streams.__file__).parent
    for path in folder.glob("*.py"):
        text = path.read_text()
        if path.stem not in (
            "console",
            "live",
            "study_view",
            "score_tables",
            "streams",
            "signals",
            "terminal_pictures",
        ):
            for word in ("out.print", "err.print", "print(", "sys.stdout", "sys.stderr", "typer.echo"):
                assert word not in text, f"{path.name}: {word}"


def test_a_narrow_table_shows_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(console, "out", Console(width=80))
    head = ("name", "average", "95 % interval (average)", "images", "settings that differ")
    print_table(head, [("first", "72.30 %", "69.44 % to 74.98 %", "the bundled subset of MNIST", "rule.eta 1, x 5")])
    told = capsys.readouterr().out
    assert all(len(line) <= 80 for line in told.splitlines())
    assert {"first", "bundled", "MNIST", "rule.eta", "1,", "5"} <= set(told.split())


def test_a_line_tells_each_point_of_the_learning_curve_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also two that come together; of those of an earlier session, only the latest."""
    told: list[str] = []
    monkeypatch.setattr(live, "print_note", told.append)
    points = tuple(CurvePoint(examples=1_000 * k, correct=k, total=8) for k in range(1, 6))
    figures = {"rate": 1.0, "spikes_per_example": 15.0, "l1_mean": 78.0, "retries": 0}
    view = live._LineView()
    for known in (2, 2, 3, 5):
        view.training(SimpleNamespace(curve=points[:known], examples=9_000, total=60_000, **figures))  # type: ignore[arg-type]
    assert [line for line in told if "withheld" in line] == [
        f"{k},000 examples: accuracy on withheld training images {share} %"
        for k, share in ((2, "25.0"), (3, "37.5"), (4, "50.0"), (5, "62.5"))
    ]
