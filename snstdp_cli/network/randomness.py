"""Counter-based random numbers, the same in C++, Cython and NumPy.

Whether input i fires in a step is a hash of (seed, stream, example, step, i), so that every engine sees the same
spikes, and a resumed run or another division of the work changes nothing. The hash is two rounds of a 64-bit finalizer
(the mixing constants are those of SplitMix64; Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.brian_import import Function

_M1, _M2, _GOLDEN = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9E3779B97F4A7C15

C_SOURCE = f"""
static inline unsigned long long _mix64(unsigned long long z) {{
    z = (z ^ (z >> 30)) * 0x{_M1:X}ULL;
    z = (z ^ (z >> 27)) * 0x{_M2:X}ULL;
    return z ^ (z >> 31);
}}
static inline double draw_key(int seed, int stream, int example, int step) {{
    unsigned long long a = _mix64(((unsigned long long)(unsigned)seed << 32) + (unsigned)stream + 0x{_GOLDEN:X}ULL);
    unsigned long long b = ((unsigned long long)(unsigned)example << 32) + (unsigned)step;
    return (double)(_mix64(a ^ _mix64(b + 0x{_GOLDEN:X}ULL)) >> 12);
}}
static inline double uniform_hash(double key, int i) {{
    unsigned long long z = ((unsigned long long)key << 12) + (unsigned long long)(i + 1) * 0x{_GOLDEN:X}ULL;
    return (double)(_mix64(z) >> 11) * (1.0 / 9007199254740992.0);
}}
"""

_CYTHON_SOURCE = f"""
cdef unsigned long long _mix64(unsigned long long z):
    z = (z ^ (z >> 30)) * <unsigned long long>0x{_M1:X}ULL
    z = (z ^ (z >> 27)) * <unsigned long long>0x{_M2:X}ULL
    return z ^ (z >> 31)

cdef double draw_key(int seed, int stream, int example, int step):
    cdef unsigned long long golden = <unsigned long long>0x{_GOLDEN:X}ULL
    cdef unsigned long long a = _mix64((<unsigned long long><unsigned int>seed << 32) + <unsigned int>stream + golden)
    cdef unsigned long long b = (<unsigned long long><unsigned int>example << 32) + <unsigned int>step
    return <double>(_mix64(a ^ _mix64(b + golden)) >> 12)
"""

_CYTHON_UNIFORM = f"""
cdef unsigned long long _mix64u(unsigned long long z):
    z = (z ^ (z >> 30)) * <unsigned long long>0x{_M1:X}ULL
    z = (z ^ (z >> 27)) * <unsigned long long>0x{_M2:X}ULL
    return z ^ (z >> 31)

cdef double uniform_hash(double key, int i):
    cdef unsigned long long golden = <unsigned long long>0x{_GOLDEN:X}ULL
    cdef unsigned long long z = (<unsigned long long>key << 12) + <unsigned long long>(i + 1) * golden
    return <double>(_mix64u(z) >> 11) * (1.0 / 9007199254740992.0)
"""


def _mix64(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_M1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_M2)
    return z ^ (z >> np.uint64(31))


def _unsigned(value: Any) -> NDArray[np.uint64]:
    return np.atleast_1d(np.asarray(value, dtype=np.int64)).astype(np.uint64)


def draw_key(seed: Any, stream: Any, example: Any, step: Any) -> NDArray[np.float64]:
    """Hash (seed, stream, example, step) to a whole number below 2**52."""
    shift = np.uint64(32)
    a = _mix64((_unsigned(seed) << shift) + _unsigned(stream) + np.uint64(_GOLDEN))
    b = (_unsigned(example) << shift) + _unsigned(step)
    return (_mix64(a ^ _mix64(b + np.uint64(_GOLDEN))) >> np.uint64(12)).astype(np.float64)


def uniform_hash(key: Any, i: Any) -> NDArray[np.float64]:
    """Hash a key of `draw_key` and the index of an input to a number in [0, 1)."""
    base = np.atleast_1d(np.asarray(key, dtype=np.float64)).astype(np.uint64) << np.uint64(12)
    z = base + (_unsigned(i) + np.uint64(1)) * np.uint64(_GOLDEN)
    return (_mix64(z) >> np.uint64(11)).astype(np.float64) * (1.0 / 9007199254740992.0)


def random_functions() -> dict[str, Function]:
    """Return `draw_key` and `uniform_hash` as functions for Brian 2's statements on every target."""
    key = Function(draw_key, arg_units=[1, 1, 1, 1], return_unit=1, arg_types=["integer"] * 4, return_type="float")
    key.implementations.add_implementation("cpp", C_SOURCE)
    key.implementations.add_implementation("cython", _CYTHON_SOURCE)
    uniform = Function(uniform_hash, arg_units=[1, 1], return_unit=1, arg_types=["float", "integer"])
    uniform.implementations.add_implementation("cpp", C_SOURCE)
    uniform.implementations.add_implementation("cython", _CYTHON_UNIFORM)
    return {"draw_key": key, "uniform_hash": uniform}
