"""The counter-based random numbers: the published hash, uniform, and the same in C++ as in NumPy."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snstdp_cli.engines import find_compiler
from snstdp_cli.network.randomness import C_SOURCE, draw_key, uniform_hash

WORD = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def splitmix64_output(state: int) -> int:
    """Return SplitMix64's output function in whole numbers (Steele, Lea, Flood 2014)."""
    z = state & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def key_in_whole_numbers(seed: int, stream: int, example: int, step: int) -> int:
    a = splitmix64_output((seed << 32) + stream + GOLDEN)
    b = splitmix64_output((example << 32) + step + GOLDEN)
    return splitmix64_output(a ^ b) >> 12


def uniform_in_whole_numbers(key: int, i: int) -> float:
    return (splitmix64_output((key << 12) + (i + 1) * GOLDEN) >> 11) / 2**53


def test_the_output_function_is_the_published_splitmix64() -> None:
    # The first outputs of SplitMix64 from the state 1234567, as published with its reference implementation.
    state, outputs = 1234567, []
    for _ in range(3):
        state += GOLDEN
        outputs.append(splitmix64_output(state))
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


whole = st.integers(0, 2**31 - 1)
HARD = [0, 1, 2, 12_345, 2**16, 2**31 - 1]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Compile the C++ text of the hash alone, which takes a fraction of a second."""
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("no C++ compiler")
    folder: Path = tmp_path_factory.mktemp("hash")
    visible = """
    extern "C" double key_of(int a, int b, int c, int d) { return draw_key(a, b, c, d); }
    extern "C" double number_of(double key, int i) { return uniform_hash(key, i); }
    """
    (folder / "hash.cpp").write_text(C_SOURCE + visible)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", "hash.so", "hash.cpp"], cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "hash.so"))
    library.key_of.restype = library.number_of.restype = ctypes.c_double
    library.number_of.argtypes = [ctypes.c_double, ctypes.c_int]
    return library


def test_the_cpp_numbers_equal_those_of_whole_number_arithmetic(compiled: ctypes.CDLL) -> None:
    for shift in range(4):
        for k, value in enumerate(HARD):
            words = [HARD[(k * (n + 1) + shift * n) % len(HARD)] for n in range(4)]
            key = compiled.key_of(*words)
            assert int(key) == key_in_whole_numbers(*words)
            assert compiled.number_of(key, value // 3) == uniform_in_whole_numbers(int(key), value // 3)


@given(seed=whole, stream=st.integers(0, 3), example=whole, step=whole, i=st.integers(0, 100_000))
def test_numbers_equal_those_of_whole_number_arithmetic(
    seed: int, stream: int, example: int, step: int, i: int
) -> None:
    key = draw_key(seed, stream, example, step)
    assert int(key[0]) == key_in_whole_numbers(seed, stream, example, step) < 2**52
    assert uniform_hash(key, i)[0] == uniform_in_whole_numbers(int(key[0]), i)


def draw(seed: int = 0, stream: int = 1, example: int = 0, steps: int = 400, inputs: int = 500) -> np.ndarray:
    keys = [draw_key(seed, stream, example, step)[0] for step in range(steps)]
    return np.array([uniform_hash(key, np.arange(inputs)) for key in keys])


def test_numbers_are_uniform_over_inputs_and_steps() -> None:
    numbers = draw()
    assert 0 <= numbers.min() < numbers.max() < 1
    bins = np.bincount((numbers.reshape(-1) * 100).astype(int), minlength=100)
    chi_square = ((bins - 2000) ** 2 / 2000).sum()
    assert 99 - 5 * np.sqrt(198) < chi_square < 99 + 5 * np.sqrt(198)
    # Also for rare spikes, within each input and within each step.
    rare = numbers < 0.02
    for axis, trials in ((0, 400), (1, 500)):
        counts = rare.sum(axis=axis)
        assert counts.var() == pytest.approx(trials * 0.02 * 0.98, rel=0.3)


def test_neighbours_in_step_input_example_seed_and_stream_are_uncorrelated() -> None:
    numbers = draw() - 0.5
    limit = 5 / 12 / np.sqrt(numbers.size)
    pairs = [
        (numbers[1:], numbers[:-1]),
        (numbers[:, 1:], numbers[:, :-1]),
        (numbers, draw(example=1) - 0.5),
        (numbers, draw(seed=1) - 0.5),
        (numbers, draw(stream=2) - 0.5),
    ]
    for left, right in pairs:
        assert abs((left * right).mean()) < limit
        assert not np.array_equal(left, right)
