"""Gaps between input spikes: the published hash, the statistics of a Bernoulli process, C++ and NumPy alike."""

from __future__ import annotations

import ctypes
import math
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import splitmix64, uniform_number

from snstdp_cli.engines import find_compiler
from snstdp_cli.engines.compiler import COMPILER_FLAGS
from snstdp_cli.network.randomness import draw_gap, draw_key, mean_wait, natural_log, sources

GOLDEN = 0x9E3779B97F4A7C15
LONG = 10**6


def key_in_whole_numbers(seed: int, stream: int, example: int, attempt: int) -> int:
    a = splitmix64((seed << 32) + stream + GOLDEN)
    b = splitmix64((example << 32) + attempt + GOLDEN)
    return splitmix64(a ^ b) >> 12


def test_the_output_function_is_the_published_splitmix64() -> None:
    # The first outputs of SplitMix64 from the state 1234567, as published with its reference implementation.
    state, outputs = 1234567, []
    for _ in range(3):
        state += GOLDEN
        outputs.append(splitmix64(state))
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


whole = st.integers(0, 2**31 - 1)
HARD = [0, 1, 2, 12_345, 2**16, 2**31 - 1]
CHANCES = [
    0.0,
    1e-300,
    2.0**-54,
    2.0**-53,
    1e-12,
    1e-4,
    0.03,
    0.25,
    0.29289321881345254,
    0.5,
    0.75,
    0.999,
    1 - 2.0**-53,
    1.0,
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Compile the C++ text of the numbers alone, with the engine's flags, which takes a fraction of a second."""
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("no C++ compiler")
    folder: Path = tmp_path_factory.mktemp("hash")
    visible = """
    extern "C" double key_of(int a, int b, int c, int d) { return draw_key(a, b, c, d); }
    extern "C" double wait_of(double chance) { return mean_wait(chance); }
    extern "C" int gap_of(double key, int i, int nth, double wait, int longest) {
        return draw_gap(key, i, nth, wait, longest);
    }
    extern "C" void logs_of(double* x, int n) { for (int k = 0; k < n; k++) x[k] = _natural_log_draw_gap(x[k]); }
    """
    (folder / "hash.cpp").write_text(
        "".join(sources(name)["cpp"] for name in ("draw_key", "mean_wait", "draw_gap")) + visible
    )
    command = [*shlex.split(compiler), *COMPILER_FLAGS, "-march=native"]
    subprocess.run([*command, "-shared", "-fPIC", "-o", "hash.so", "hash.cpp"], cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "hash.so"))
    library.key_of.restype = library.wait_of.restype = ctypes.c_double
    library.wait_of.argtypes = [ctypes.c_double]
    library.gap_of.argtypes = [ctypes.c_double, ctypes.c_int, ctypes.c_int, ctypes.c_double, ctypes.c_int]
    return library


def test_cpp_draws_the_keys_waits_and_gaps_of_numpy_to_the_bit(compiled: ctypes.CDLL) -> None:
    waits = mean_wait(CHANCES)
    assert [compiled.wait_of(chance) for chance in CHANCES] == waits.tolist()
    for shift in range(4):
        for k, value in enumerate(HARD):
            words = [HARD[(k * (n + 1) + shift * n) % len(HARD)] for n in range(4)]
            key = compiled.key_of(*words)
            assert int(key) == key_in_whole_numbers(*words)
            for wait in waits:
                ours = draw_gap(key, value // 3, words[0], wait, LONG)[0]
                assert compiled.gap_of(key, value // 3, words[0], wait, LONG) == ours


def test_cpp_has_the_logarithms_of_numpy_to_the_bit(compiled: ctypes.CDLL) -> None:
    random = np.random.default_rng(0)
    x = np.concatenate([random.random(20_000), 1 - random.random(2000) * 1e-9, random.random(2000) * 2.0**-40, [1.0]])
    found = x.copy()
    compiled.logs_of(found.ctypes.data_as(ctypes.c_void_p), len(found))
    assert np.array_equal(found, natural_log(x))


@given(x=st.floats(2.0**-53, 1e6))
def test_the_logarithm_is_that_of_the_library_within_its_tolerance(x: float) -> None:
    assert float(natural_log(x)) == pytest.approx(math.log(x), rel=2e-12, abs=1e-300)


@given(seed=whole, stream=st.integers(0, 3), example=whole, attempt=whole, i=st.integers(0, 100_000), nth=whole)
def test_gaps_are_the_inversion_of_numbers_in_whole_number_arithmetic(
    seed: int, stream: int, example: int, attempt: int, i: int, nth: int
) -> None:
    key = draw_key(seed, stream, example, attempt)
    assert int(key[0]) == key_in_whole_numbers(seed, stream, example, attempt) < 2**52
    for chance in (0.001, 0.3):
        exact = math.log(uniform_number(int(key[0]), i, nth)) / math.log1p(-chance)
        if abs(exact - round(exact)) > 1e-9 * exact:
            assert draw_gap(key, i, nth, mean_wait(chance), LONG)[0] == 1 + math.floor(exact)


def test_a_certain_spike_comes_at_once_and_an_impossible_one_never() -> None:
    inputs = np.arange(5000)
    assert mean_wait(1.0) == mean_wait(1.5) == 0
    assert (draw_gap(3.0, inputs, 0, mean_wait(1.0), 701) == 1).all()
    for chance in (0.0, 1e-300, 2.0**-60):
        assert (draw_gap(3.0, inputs, 0, mean_wait(chance), 701) == 701).all()
    assert draw_gap(3.0, inputs, 0, mean_wait(1e-3), 701).max() == 701


def spikes(
    chance: float = 0.02, *, seed: int = 0, stream: int = 1, example: int = 0, attempt: int = 0, steps: int = 1000
) -> np.ndarray:
    """Return [step, input] of the spikes of 600 inputs on ticks 1 to `steps`, as the network draws them."""
    key, inputs = draw_key(seed, stream, example, attempt), np.arange(600)
    found = np.zeros((steps + 1, len(inputs)), dtype=bool)
    wait, nth = np.full(len(inputs), float(mean_wait(chance))), np.zeros(len(inputs), dtype=int)
    due = draw_gap(key, inputs, nth, wait, steps + 1).astype(int)
    while (due <= steps).any():
        fires = due <= steps
        found[due[fires], inputs[fires]] = True
        nth[fires] += 1
        due[fires] += draw_gap(key, inputs[fires], nth[fires], wait[fires], steps + 1)
    return found[1:]


@pytest.mark.parametrize("chance", [0.002, 0.02, 0.3])
def test_every_step_from_the_first_on_has_the_same_rate(chance: float) -> None:
    found = np.concatenate([spikes(chance, example=k, steps=200) for k in range(20)], axis=1)
    trials = found.shape[1]
    expected, variance = trials * chance, trials * chance * (1 - chance)
    by_step = found.sum(axis=1)
    chi_square = ((by_step - expected) ** 2 / variance).sum()
    assert abs(chi_square - 200) < 4 * math.sqrt(2 * 200)
    assert abs(found.mean() - chance) < 4 * math.sqrt(chance * (1 - chance) / found.size)
    # The first steps, where a process that begins with a spike or a pause would show.
    assert (np.abs(by_step[:5] - expected) < 4.5 * math.sqrt(variance)).all()


@pytest.mark.parametrize("chance", [0.02, 0.3])
@pytest.mark.parametrize("nth", [0, 1, 7])
def test_gaps_are_geometric_for_the_first_spike_and_every_later_one(chance: float, nth: int) -> None:
    keys = draw_key(1, 1, np.arange(60), 0)
    gaps = np.concatenate([draw_gap(key, np.arange(1000), nth, mean_wait(chance), LONG) for key in keys])
    # Bins by the quantiles of the distribution, each of which expects about 1,500 gaps or more.
    edges = np.unique(np.ceil(np.log(1 - np.linspace(0, 0.975, 40)) / math.log(1 - chance)).astype(int))
    shares = -np.diff(np.append((1 - chance) ** edges, 0.0))
    counts = np.histogram(gaps, bins=[*(edges + 0.5), np.inf])[0]
    assert counts.sum() == len(gaps)
    expected = shares * len(gaps)
    chi_square, free = ((counts - expected) ** 2 / expected).sum(), len(shares) - 1
    assert abs(chi_square - free) < 4 * math.sqrt(2 * free)


def test_counts_of_an_input_vary_as_those_of_independent_steps() -> None:
    found = np.concatenate([spikes(0.02, example=k) for k in range(10)], axis=1)
    assert found.sum(axis=0).var() == pytest.approx(1000 * 0.02 * 0.98, rel=0.1)
    assert found.sum(axis=1).var() == pytest.approx(6000 * 0.02 * 0.98, rel=0.2)


def test_spikes_of_steps_inputs_attempts_examples_streams_and_seeds_are_uncorrelated() -> None:
    base = spikes(0.1)
    pairs = {
        "next step": (base[1:], base[:-1]),
        "two steps on": (base[2:], base[:-2]),
        "next input": (base[:, 1:], base[:, :-1]),
        "far input": (base[:, 300:], base[:, :-300]),
        "attempt": (base, spikes(0.1, attempt=1)),
        "example": (base, spikes(0.1, example=1)),
        "stream": (base, spikes(0.1, stream=2)),
        "seed": (base, spikes(0.1, seed=1)),
    }
    for name, (left, right) in pairs.items():
        limit = 4.5 * 0.1 * 0.9 / math.sqrt(left.size)
        assert abs(((left - 0.1) * (right - 0.1)).mean()) < limit, name


def test_successive_gaps_of_an_input_are_uncorrelated() -> None:
    key, inputs = draw_key(3, 1, 5, 0), np.arange(20_000)
    gaps = [draw_gap(key, inputs, nth, mean_wait(0.05), LONG).astype(float) for nth in range(4)]
    for first in range(4):
        for second in range(first):
            assert abs(np.corrcoef(gaps[first], gaps[second])[0, 1]) < 4.5 / math.sqrt(len(inputs))


def test_a_brighter_image_keeps_no_spike_times_of_the_try_before() -> None:
    first, second = spikes(0.02), spikes(0.03, attempt=1)
    both = (first & second).mean()
    assert both == pytest.approx(0.02 * 0.03, rel=0.3)
