"""A program runs chunk after chunk, and neurons that rest are left out of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reference import mixed_images, open_run, small_experiment
from test_generated import TEMPLATES, compile_program, run_program

from snstdp_cli.engines.processes import RunningProgram
from snstdp_cli.engines.resting import HEADER, leave_out_resting
from snstdp_cli.engines.serving import serve_requests
from snstdp_cli.errors import EngineError

MAIN = """
int main(int argc, char **argv)
{
    brian_start();
    {
        set_from_command_line(args);
        network.run(10.0, NULL, 10.0);
        _after_run_a();
    }


    brian_end();
    return 0;
}
"""


def test_what_a_program_does_once_is_done_for_each_request() -> None:
    served = serve_requests(MAIN)
    order = ["brian_start();", "requests.next(args)", "network.t=0.0;", "_array_exc_spikes_N[0] = 0;"]
    order += ["set_from_command_line(args);", "_after_run_a();", "_write_arrays();", "requests.answer();", "return 0;"]
    places = [served.index(text) for text in order]
    assert places == sorted(places)
    assert served.count("{") == served.count("}")


def test_a_main_program_of_another_form_is_an_error_that_names_the_other_engine() -> None:
    with pytest.raises(EngineError, match="--engine runtime"):
        serve_requests(MAIN.replace("brian_end", "the_end"))


def test_the_installed_brian_ends_its_main_program_in_the_form_that_is_looked_for() -> None:
    text = (TEMPLATES / "main.cpp").read_text()
    assert text.index("{{main_lines") < text.rindex("\n\t}\n") < text.index("brian_end();")


def program(folder: Path, script: str) -> RunningProgram:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return RunningProgram([str(path)], str(path), folder)


def test_a_program_is_asked_in_one_request_and_answers_in_a_line(tmp_path: Path) -> None:
    running = program(tmp_path, f"head -c 9 | od -An -c >{tmp_path}/request; echo 1.250000 2048; read more")
    answer = running.ask(["a=1", "b=2"])
    assert (answer.cpu_seconds, answer.peak_kb) == (1.25, 2048)
    assert (tmp_path / "request").read_text().split() == ["a", "=", "1", r"\0", "b", "=", "2", r"\0", r"\0"]
    assert running.runs()
    running.end()
    assert not running.runs()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo no space left; exit 3", r"exit code 3.*no space left"),
        ("exec 0<&-; echo no space left >&2; exit 3", r"exit code 3.*no space left"),
        ("echo no memory >&2; echo 1.0 2048; sleep 600", r"failed: no memory"),
        ("kill -9 $$", r"exit code -9.*it said nothing"),
    ],
)
def test_a_program_that_ends_or_complains_is_told_with_what_it_said(tmp_path: Path, script: str, said: str) -> None:
    running = program(tmp_path, script)
    try:
        with pytest.raises(EngineError, match=f"{said}.*run again with --resume"):
            running.ask(["a=1"])
    finally:
        running.end()


UPDATER = """
void update() {
    const int64_t N = 70;
    const int _N = N;
    for(int _idx=0; _idx<_N; _idx++)
    {
        double cooldown = _ptr_array_inh_cooldown[_idx];
        double v = _ptr_array_inh_v[_idx];
        cooldown = (cooldown - 1) * (cooldown > 0);
        v += 0.3 * (cooldown == 0) * (-0.06 - v);
        _ptr_array_inh_cooldown[_idx] = cooldown;
        _ptr_array_inh_v[_idx] = v;

    }
}
"""
THRESHOLDER = """
void find() {
    const int64_t N = 70;
    long _count = 0;
    size_t _block = 0;
    for (; _block + 32 <= (size_t)N; _block += 32)
    {
        for (size_t _idx = _block; _idx < _block + 32; _idx++)
        if (_ptr_array_inh_v[_idx] > -0.04) _ptr_array_inh__spikespace[_count++] = _idx;
    }
    for (size_t _idx = _block; _idx < (size_t)N; _idx++)
    if (_ptr_array_inh_v[_idx] > -0.04) _ptr_array_inh__spikespace[_count++] = _idx;
    _ptr_array_inh__spikespace[N] = _count;
}
"""
WRITER = "void excite(int k, double by) { _ptr_array_inh_v[k] += by; }\n"
SOURCES = {
    "inh_stateupdater_codeobject": UPDATER,
    "inh_spike_thresholder_codeobject": THRESHOLDER,
    "exc_inh_pre_codeobject": WRITER,
    "other_codeobject": "void other() { double v = _ptr_array_inh_v[0]; }\n",
}
_STEPS = """
#include <cstdio>
#include <cstdint>
#include <cstring>
double _ptr_array_inh_v[70], _ptr_array_inh_cooldown[70];
int64_t _array_clock_timestep[1];
int32_t _ptr_array_inh__spikespace[71];
CODE
int main() {
    long steps = 0;
    for (int chunk = 0; chunk < 2; chunk++) {
        for (int k = 0; k < 70; k++) _ptr_array_inh_v[k] = chunk ? -0.001 * k : -0.06;
        for (int t = 0; t < 400; t++) {
            _array_clock_timestep[0] = t;
            update();
            find();
            for (int s = 0; s < _ptr_array_inh__spikespace[70]; s++) {
                const int k = _ptr_array_inh__spikespace[s];
                printf("%d:%d ", t, k);
                excite(k, -0.045 - _ptr_array_inh_v[k]);
            }
            if (t % 97 == 5) excite(t % 70, 0.08);
            COUNT
            for (int k = 0; k < 70; k++) printf("%a ", _ptr_array_inh_v[k] + _ptr_array_inh_cooldown[k]);
            printf("\\n");
        }
    }
    printf("%ld\\n", steps);
}
"""


def test_neurons_that_rest_are_left_out_and_nothing_changes(tmp_path: Path) -> None:
    changed = leave_out_resting(SOURCES, "inh")
    assert "other_codeobject" not in changed
    (tmp_path / HEADER).write_text(changed[HEADER])
    after = "\n".join(changed[name] for name in list(SOURCES)[:3])
    programs = [_STEPS.replace("CODE", "".join(list(SOURCES.values())[:3])).replace("COUNT", "")]
    programs.append(_STEPS.replace("CODE", after).replace("COUNT", "steps += snstdp::awake_inh[0] > 0;"))
    plain, blocks = (run_program(compile_program(tmp_path, text)) for text in programs)
    assert blocks[:-1] == plain[:-1]
    assert any(":" in word for line in plain for word in line)
    assert 0 < int(blocks[-1][0]) < 600  # of 800 steps of the first block


def test_the_bits_of_single_numbers_are_compared_in_32_bits() -> None:
    pointers = "".join(f"float* __restrict  _ptr_array_inh_{name} = x;\n" for name in ("v", "cooldown"))
    name = "inh_stateupdater_codeobject"
    for text, expected in (
        (pointers, "[](float number)"),
        (pointers.replace("float", "double", 1), "[](double number)"),
        ("", "[](double number)"),
    ):
        assert expected in leave_out_resting({**SOURCES, name: text + UPDATER}, "inh")[name]


@pytest.mark.parametrize(
    "changes",
    [
        {"inh_stateupdater_codeobject": UPDATER.replace("-0.06 -", "_ptr_array_exc_v[_idx] -")},
        {"inh_spike_thresholder_codeobject": THRESHOLDER.replace("-0.04", "_ptr_array_inh_theta[_idx]")},
        {"inh_spike_thresholder_codeobject": THRESHOLDER.replace("+= 32)", "+= 16)")},
        {"inh_stateupdater_codeobject": UPDATER.replace("_idx<_N", "_idx<N")},
        {"exc_inh_pre_codeobject": WRITER.replace("[k]", "[where[k]]")},
    ],
)
def test_neurons_that_hang_on_something_else_or_of_another_form_are_never_left_out(changes: dict[str, str]) -> None:
    assert leave_out_resting({**SOURCES, **changes}, "inh") == {}


@pytest.mark.slow
@pytest.mark.compiles
@pytest.mark.parametrize("plastic", [True, False])
def test_blocks_of_inhibitory_neurons_leave_the_state_that_numpy_leaves(plastic: bool) -> None:
    runs = [open_run(small_experiment(n_e=70), target, plastic) for target in ("numpy", "cpp")]
    states = [run.show(mixed_images()).state for run in runs]
    for name, values in states[0].items():
        np.testing.assert_array_equal(states[1][name], values)
    assert runs[0].spikes() == runs[1].spikes()
    assert len(runs[0].spikes()) > 40
