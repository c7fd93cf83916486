"""Other simulators in the table of `snstdp bench`: who is asked, with what, and what is made of the answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up_peer import write_interpreter

from snstdp_cli.errors import EngineError
from snstdp_cli.machine.bench import BenchmarkResult, report_markdown
from snstdp_cli.machine.bench.peers import BATCHES, COMPARED, measure_bindsnet

IMAGES = np.full((40, 28, 28), 100, dtype=np.uint8)


def test_a_batch_of_one_and_the_fastest_are_kept_and_told_with_their_settings(tmp_path: Path) -> None:
    peers = measure_bindsnet(write_interpreter(tmp_path), IMAGES)
    assert [(peer.batch, peer.cpu_ms[0]) for peer in peers] == [(1, 32.0), (32, 1.0)]
    assert {1, 32} < set(BATCHES)
    versions = dict.fromkeys(("processor", "cores", "snstdp", "python", "brian2", "numpy", "compiler"), "x")
    ratios = {f"{peers[0].name}_vs_{COMPARED}": 21.0}
    text = report_markdown(BenchmarkResult("snstdp bench", "today", versions, [], peers=peers, ratios=ratios))
    assert "BindsNET 9.9" in text
    assert "0.5 ms a step, 350 ms of an image and 150 ms of rest" in text
    assert "| bindsnet_diehlandcook_400_batch1 | 1 | 32.0 (32.0 to 32.0) | 9.00 (9.00 to 9.00) | 7 | 21 |" in text
    assert "| bindsnet_diehlandcook_400_batch32 | 32 |" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [("raise SystemExit('No module named bindsnet')", "No module named bindsnet.*is installed"), ("", "said nothing")],
)
def test_a_python_without_bindsnet_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(EngineError, match=f"--bindsnet .*{said}"):
        measure_bindsnet(write_interpreter(tmp_path, text), IMAGES)


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be run.*expected a Python interpreter"):
        measure_bindsnet(tmp_path / "none", IMAGES)


def test_an_interpreter_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_interpreter(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert measure_bindsnet(Path(f"./{path.name}"), IMAGES)
