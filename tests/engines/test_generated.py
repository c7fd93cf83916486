"""What is changed in the sources that Brian 2 writes, and that the changed loops do the same."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from snstdp_cli.brian_import import prepare_brian
from snstdp_cli.engines import find_compiler
from snstdp_cli.engines.compilation import QUEUE_HEADER
from snstdp_cli.engines.compiler import COMPILER_FLAGS
from snstdp_cli.engines.generated import (
    ask_clock_once,
    find_spikes_in_blocks,
    hold_single_numbers,
    keep_truth_as_number,
    know_the_only_clock,
    know_the_only_element,
    skip_idle_pathways,
    walk_runs,
    write_only,
)

#: Imported by us: Brian 2 itself would leave files in the temporary folder when the tests are killed.
brian2 = prepare_brian()
TEMPLATES = Path(brian2.__file__).parent / "devices" / "cpp_standalone" / "templates"
CHANGES = (
    ask_clock_once,
    know_the_only_clock,
    know_the_only_element,
    find_spikes_in_blocks,
    hold_single_numbers,
    keep_truth_as_number,
    skip_idle_pathways,
    walk_runs,
)

THRESHOLDER = """
    const int _vectorisation_idx = -1;

    long _count = 0;
    for(size_t _idx=0; _idx<N; _idx++)
    {
        const size_t _vectorisation_idx = _idx;

        const double v = _v[_idx];
        const double cooldown = _cooldown[_idx];
        const char _cond = (v > limit) && (cooldown == 0);

        if(_cond) {
            _space[_count++] = _idx;
        }
    }
    _space[N] = _count;
"""
UPDATER = """
    const int _N = N;

    for(int _idx=0; _idx<_N; _idx++)
    {
        double cooldown = _cooldown[_idx];
        double v = _v[_idx];
        cooldown = ((- 1.0) + cooldown) * int_(cooldown > 0);
        const int64_t free = int_(cooldown == 0);
        v += 0.005 * ((free * 0.3) * (0.25 - v));
        v *= 0.9 * int_(fabs(v) > 0.05);
        _cooldown[_idx] = cooldown;
        _v[_idx] = v;

    }
"""
PROPAGATION = """
    {
    std::vector<int> *_spiking_synapses = pathway.peek();
    const int _num_spiking_synapses = _spiking_synapses->size();


    {
        for(int _spiking_synapse_idx=0;
            _spiking_synapse_idx<_num_spiking_synapses;
            _spiking_synapse_idx++)
        {
            const size_t _idx = (*_spiking_synapses)[_spiking_synapse_idx];
            const size_t _vectorisation_idx = _idx;

            const int32_t _postsynaptic_idx = _targets[_idx];
            double ge_post = _ge[_postsynaptic_idx];
            if (ge_post > 1e9) { ge_post = 0; }
            ge_post = ge_post * 0.97 + _w[_idx];
            _ge[_postsynaptic_idx] = ge_post;

        }
    }
    }
"""


def test_the_templates_of_the_installed_brian_have_the_forms_that_are_looked_for() -> None:
    threshold, synapses = ((TEMPLATES / name).read_text() for name in ("threshold.cpp", "synapses.cpp"))
    plain = [re.sub(r"\{%.*?%\}|\{#.*?#\}", "", text, flags=re.DOTALL) for text in (threshold, synapses)]
    for line in ("long _count = 0;", "for(size_t _idx=0; _idx<N; _idx++)", "if(_cond) {"):
        assert line in plain[0]
    for line in (".peek();", "const size_t _idx = (*_spiking_synapses)[_spiking_synapse_idx];"):
        assert line in plain[1]


def test_the_main_loop_of_the_installed_brian_asks_for_the_time_when_it_has_ended_only() -> None:
    text = (TEMPLATES / "network.cpp").read_text()
    changed = ask_clock_once(text)
    if "std::clock" not in text:  # Brian 2 from 2.10 on does so itself
        assert changed == text
        return
    assert changed.count("if (!clock || !clock->running()) current = std::clock();") == 1
    # The other question is asked for progress reports only, which we do not ask for.
    assert changed.count("std::clock()") == text.count("std::clock()")
    assert len(changed.splitlines()) == len(text.splitlines())


def test_the_main_loop_of_the_installed_brian_does_not_search_for_the_only_clock() -> None:
    changed = know_the_only_clock((TEMPLATES / "network.cpp").read_text())
    assert "if (_one_clock || curclocks.find(obj_clock) != curclocks.end())" in changed
    assert changed.index("const bool _one_clock") < changed.index("while(clock && clock->running()")


def test_sources_of_another_form_are_left_alone() -> None:
    others = ["", "std::clock_t start, current;", "current = std::clock();\nelapsed_realtime = 0;"]
    others += [THRESHOLDER.replace("_count = 0", "_n = 0"), THRESHOLDER.replace("(v > limit)", "fires(v)")]
    others += [PROPAGATION.replace("peek", "due"), PROPAGATION.replace("int _spiking_synapse_idx=0", "int k = 0")]
    others += [PROPAGATION[:-60]]
    others += [UPDATER.replace("_idx<_N", "_idx<N"), UPDATER.replace("free * 0.3", "free / 3")]
    others += [UPDATER.replace("* int_(fabs", "+ int_(fabs")]
    for text in others:
        for change in CHANGES:
            assert change(text) == text


def compile_program(folder: Path, source: str) -> Path:
    """Compile a program and return its path."""
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("no C++ compiler")
    (folder / "stdint_compat.h").write_text("#include <stdint.h>\n")
    (folder / "spikequeue.h").write_text(QUEUE_HEADER.read_text())
    (folder / "main.cpp").write_text(source)
    command = [*shlex.split(compiler), *COMPILER_FLAGS, "-march=native", "-I.", "main.cpp", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "main"


def run_program(program: Path, *arguments: str) -> list[list[str]]:
    """Run a program; return the words of each line that it says."""
    said = subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout
    return [line.split() for line in said.splitlines()]


_THRESHOLDS = """
#include <cstdio>
#include <cstdint>
#include <cstdlib>
#include <vector>
void find(const double* _v, const double* _cooldown, int32_t* _space, const int64_t N) {
    const double limit = 0.5;
    BODY
}
int main() {
    for (int n : {1, 5, 31, 32, 33, 64, 100, 256}) for (int rare = 0; rare < 2; rare++) {
        std::vector<double> v(n), cooldown(n);
        std::vector<int32_t> space(n + 1);
        srand(n);
        for (int k = 0; k < n; k++) {
            v[k] = rare ? (k % 37 == 36) : rand() % 1000 / 1000.0;
            cooldown[k] = rand() % 3 == 0;
        }
        find(v.data(), cooldown.data(), space.data(), n);
        for (int k = 0; k < space[n]; k++) printf("%d ", space[k]);
        printf("\\n");
    }
}
"""


def test_a_thresholder_in_blocks_finds_the_spikes_of_the_plain_one(tmp_path: Path) -> None:
    changed = find_spikes_in_blocks(THRESHOLDER)
    assert "_fire |= (uint32_t)((v > limit) & (cooldown == 0)) << _bit" in changed
    plain, blocks = (
        run_program(compile_program(tmp_path, _THRESHOLDS.replace("BODY", text))) for text in (THRESHOLDER, changed)
    )
    assert blocks == plain
    assert sum(map(len, plain)) > 100
    assert any(len(line) == 0 for line in plain)


_UPDATES = """
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
static int int_(bool truth) { return truth ? 1 : 0; }
void step(double* _v, double* _cooldown, const int64_t N) { BODY }
int main() {
    std::vector<double> v(37), cooldown(37);
    for (int k = 0; k < 37; k++) { v[k] = rand() % 1000 / 1000.0 - 0.5; cooldown[k] = k % 3; }
    v[5] = NAN;
    for (int t = 0; t < 20; t++) {
        step(v.data(), cooldown.data(), 37);
        for (int k = 0; k < 37; k++) printf("%a %d ", v[k] != v[k] ? 9.0 : v[k] + 0.0, (int)cooldown[k]);
        printf("\\n");
    }
}
"""


def test_a_truth_that_is_held_as_a_number_gives_the_same_bits(tmp_path: Path) -> None:
    changed = keep_truth_as_number(UPDATER)
    assert "int_(" not in changed
    plain, numbers = (
        run_program(compile_program(tmp_path, _UPDATES.replace("BODY", text))) for text in (UPDATER, changed)
    )
    assert numbers == plain
    assert {"0", "1"} <= set(plain[0])
    assert float.fromhex(plain[-1][10]) == 9  # not a number stays what it is


def test_numbers_that_were_rounded_to_32_bits_are_held_in_them() -> None:
    lines = {
        "const double x = single(a * single(b));": "const float x = single(a * single(b));",
        "const double free = truth(a == 0);": "const float free = truth(a == 0);",
        "const double e = quotient(1.0, single(y));": "const float e = quotient(1.0, single(y));",
        "const double z = single(a) * (b + single(c));": None,
        "double x = single(a);": None,
        "const double w = widened(a);": None,
    }
    for line, held in lines.items():
        assert hold_single_numbers(line) == (held or line)


def test_a_thresholder_in_single_precision_asks_as_many_neurons_at_once_as_there_are_lanes() -> None:
    compared = THRESHOLDER.replace("const double", "const float").replace("(v > limit)", "(v > single(limit + theta))")
    changed = find_spikes_in_blocks(compared)
    assert "int32_t _any = 0;" in changed
    assert "_any |= (int32_t)((v > single(limit + theta)) & (cooldown == 0))" in changed
    assert "int64_t _any = 0;" in find_spikes_in_blocks(THRESHOLDER)
    other = compared.replace("single(", "draw(")
    assert find_spikes_in_blocks(other) == other


def test_a_variable_linked_to_one_neuron_is_read_there() -> None:
    index = "const int64_t _tick_indices = _ptr_array_inputs__tick_indices[_idx];\n"
    read = index + "const int32_t tick = _ptr_array_controller_tick[_tick_indices];\n"
    one, many = (f"const size_t _numtick = {size};\n{read}" for size in (1, 2))
    assert know_the_only_element(one) == one.replace("controller_tick[_tick_indices]", "controller_tick[0]")
    assert know_the_only_element(many) == many


def test_a_pathway_without_an_arriving_spike_is_skipped() -> None:
    added = "network.add(&_clock, _run_{}_push_spikes);\n        network.add(&_clock, _run_{}_codeobject);"
    assert skip_idle_pathways(added.format("a_pre", "a_pre")) == (
        "network.add(&_clock, [] { _run_a_pre_push_spikes(); "
        "if (brian::a_pre.queue[0]->due()) _run_a_pre_codeobject(); });"
    )
    assert skip_idle_pathways(added.format("a_pre", "b_pre")) == added.format("a_pre", "b_pre")


def test_a_program_writes_the_results_that_are_read_and_no_others() -> None:
    def block(name: str) -> str:
        return (
            f'    ofstream outfile_{name};\n    outfile_{name}.open(results_dir + "{name}_1", ios::binary);\n'
            f"    if(outfile_{name}.is_open())\n    {{\n        outfile_{name}.close();\n    }} else\n    {{\n"
            f'        std::cout << "Error writing output file for {name}." << endl;\n    }}\n'
        )

    objects = "void _write_arrays()\n{\n" + "".join(map(block, ("a", "b", "c"))) + "}\nvoid other() {}\n"
    assert write_only(objects, {"b_1"}) == "void _write_arrays()\n{\n" + block("b") + "}\nvoid other() {}\n"
    assert write_only(objects, {"b_1", "d_1"}) == objects
    assert write_only("", {"b_1"}) == ""


_WALKS = """
#include <cstdio>
#include <string>
#include "spikequeue.h"
std::vector<int32_t> targets, own_sources;
struct {
    std::vector<int32_t>& sources;
    std::vector<CSpikeQueue*> queue;
    std::vector<int>* peek() { return queue[0]->peek(); }
} from_inputs{own_sources}, from_targets{targets};
std::vector<double> ge(90), w;
template <typename Pathway> void propagate(Pathway& pathway) {
    int32_t* __restrict _targets = targets.data();
    double* __restrict _ge = ge.data();
    double* __restrict _w = w.data();
    BODY
}
template <typename Pathway> void walk(const std::string& name, Pathway& pathway) {
    std::vector<double> delays;
    std::vector<int32_t>& sources = own_sources;
    MAKE
    CSpikeQueue queue(0, 6);
    pathway.queue.push_back(&queue);
    queue.prepare(delays.data(), delays.size(), sources.data(), sources.size(), 1.0);
    for (int step = 0; step < 30; step++) {
        int32_t spikes[6], n = 0;
        for (int s = 0; s < 6; s++) if ((step * 7 + s * 5) % 4 == 0 && step < 20) spikes[n++] = s;
        queue.advance();
        queue.push(spikes, n);
        std::vector<int> due(*queue.peek());
        for (int k : due) printf("%d ", k);
        printf("\\n");
        propagate(pathway);
        for (double x : ge) printf("%.17g ", x);
        printf("\\n");
    }
}
int main(int, char** arguments) {
    const std::string name = arguments[1];
    if (name == "postsynaptic") walk(name, from_targets); else walk(name, from_inputs);
}
"""
#: Synapses: of inputs with several delays, of inputs with one delay, of postsynaptic neurons (whose spikes are sent to
#: the synapses on them), of inputs and apart in memory, all on one target, on all targets but one.
_SYNAPSES = {
    "delayed": "for (int s = 0; s < 6; s++) for (int d = 0; d < 4; d++) for (int j = d; j < 40; j += 4)"
    " { sources.push_back(s); delays.push_back(d * 2); targets.push_back(j); w.push_back(s + 0.1 * j); }",
    "at once": "for (int s = 0; s < 6; s++) for (int j = 0; j < 90; j++)"
    " { sources.push_back(s); targets.push_back(j); w.push_back(s + 0.1 * j); } delays.push_back(0);",
    "postsynaptic": "for (int i = 0; i < 30; i++) for (int s = 0; s < 6; s++)"
    " { sources.push_back(s); targets.push_back(s); w.push_back(s + 0.1 * i); } delays.push_back(0);",
    "apart": "for (int j = 0; j < 90; j += 2) for (int s = 0; s < 6; s++)"
    " { sources.push_back(s); targets.push_back(j); w.push_back(s + 0.1 * j); } delays.push_back(3);",
    "but one": "for (int s = 0; s < 6; s++) for (int j = 0; j < 90; j++) if (j != 40)"
    " { sources.push_back(s); targets.push_back(j); w.push_back(s + 0.1 * j); } delays.push_back(0);",
    "one target": "for (int s = 0; s < 6; s++) for (int i = 0; i < 30; i++)"
    " { sources.push_back(s); targets.push_back(3); w.push_back(s + 0.1 * i); } delays.push_back(0);",
}


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Programs that walk over a list of synapses and over runs; their argument says which synapses."""
    make = "\n    ".join(f'if (name == "{name}") {{ {text} }}' for name, text in _SYNAPSES.items())
    source = _WALKS.replace("MAKE", make)
    return {
        name: compile_program(tmp_path_factory.mktemp(name), source.replace("BODY", text))
        for name, text in (("list", PROPAGATION), ("runs", walk_runs(PROPAGATION)))
    }


@pytest.mark.parametrize("synapses", _SYNAPSES)
def test_a_walk_over_runs_does_what_a_list_of_synapses_does(synapses: str, walks: dict[str, Path]) -> None:
    changed = walk_runs(PROPAGATION)
    assert "peek" not in changed
    assert changed.count("{") == changed.count("}")
    plain, walked = (run_program(walks[name], synapses) for name in ("list", "runs"))
    assert walked == plain
    values = np.array([[float(x) for x in line] for line in plain[1::2]])
    assert len(np.unique(values)) > 20


def test_spikes_arrive_after_their_delay_in_the_order_of_the_sources(walks: dict[str, Path]) -> None:
    due = run_program(walks["list"], "delayed")[0::2]
    expected: list[list[int]] = [[] for _ in range(40)]
    for step in range(20):
        for source in (s for s in range(6) if (step * 7 + s * 5) % 4 == 0):
            for delay in range(4):
                first = 40 * source + 10 * delay
                expected[step + 2 * delay] += range(first, first + 10)
    assert [[int(word) for word in line] for line in due] == expected[:30]
