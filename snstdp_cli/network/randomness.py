"""Counter-based random numbers, and the gaps between input spikes: the same bits in C++, Cython and NumPy.

An input that fires with probability p in every step, independently (a Bernoulli process, Diehl & Cook's Poisson input
in discrete time), has gaps between its spikes that are independent and geometric, P(gap = k) = p (1 - p)^(k - 1) for
k = 1, 2, ...; so is the time to its first spike, as the process has no memory. The gaps are drawn, one random number a
spike, by inversion: for U uniform in (0, 1] the number 1 + floor(ln U / ln(1 - p)) is geometric (L. Devroye,
Non-Uniform Random Variate Generation, Springer 1986, section X.2).

U is a hash of (seed, stream, example, attempt, input, how many spikes before), so that every engine sees the same
spikes, and a resumed run or another division of the work changes nothing. The hash is two rounds of a 64-bit finalizer
(the mixing constants are those of SplitMix64; Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195).

Logarithms of libraries differ in their last bit. Here x = m 2^e with m between sqrt(1/2) and sqrt(2), and
ln m = 2 artanh(s) = 2 s (1 + s^2/3 + s^4/5 + ...), s = (m - 1) / (m + 1): seven terms, a relative error below 2e-12.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from snstdp_cli.brian_import import Function

_M1, _M2, _GOLDEN = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9E3779B97F4A7C15
_LN2, _SQRT_HALF, _UNIT = math.log(2), math.sqrt(0.5), 2.0**-53
#: Separates the dithers of stored weights from the input's random numbers, which hash the same key.
_DITHERS, _DITHER_UNIT = 0xD1B54A32D192ED03, 2.0**-24
#: Stands for an endless wait; a product with -ln U is far from the largest number.
_ENDLESS = 1e100

# The terms of 2 artanh, innermost first.
_SERIES = [2 / odd for odd in range(13, 0, -2)]


def _horner(terms: list[float]) -> str:
    text = repr(terms[0])
    for term in terms[1:]:
        text = f"({text}) * q + {term!r}"
    return text


# No number is `const`, as those of a rule are in Brian 2's sources, where another may have its name (`constants`).
# Each function has helpers of its own: Brian 2 puts the texts of all that a statement calls one after the other.
_C_MIX = f"""
static inline unsigned long long _mix64_NAME(unsigned long long z) {{
    z = (z ^ (z >> 30)) * 0x{_M1:X}ULL;
    z = (z ^ (z >> 27)) * 0x{_M2:X}ULL;
    return z ^ (z >> 31);
}}
"""
_C_LOG = f"""
#include <cstdint>
#include <cstring>
static inline double _natural_log_NAME(double x) {{
    uint64_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    const int e = (int)(bits >> 52) - 1022;
    bits = (bits & 0x000FFFFFFFFFFFFFULL) | 0x3FE0000000000000ULL;
    double m;
    std::memcpy(&m, &bits, sizeof m);
    const int low = m < {_SQRT_HALF!r};
    m = m * (1 + low);
    double s = (m - 1) / (m + 1);
    double q = s * s;
    return s * ({_horner(_SERIES)}) + (e - low) * {_LN2!r};
}}
"""
_CPP = {
    "draw_key": f"""{_C_MIX}
static inline double draw_key(int seed, int stream, int example, int attempt) {{
    unsigned long long a = ((unsigned long long)(unsigned)seed << 32) + (unsigned)stream + 0x{_GOLDEN:X}ULL;
    unsigned long long b = ((unsigned long long)(unsigned)example << 32) + (unsigned)attempt + 0x{_GOLDEN:X}ULL;
    return (double)(_mix64_NAME(_mix64_NAME(a) ^ _mix64_NAME(b)) >> 12);
}}
""",
    "mean_wait": f"""{_C_LOG}
static inline double mean_wait(double chance) {{
    if (chance >= 1) return 0.0;
    double rate = -_natural_log_NAME(1 - chance);
    return rate > 0 ? 1 / rate : {_ENDLESS!r};
}}
""",
    "draw_gap": f"""{_C_MIX}{_C_LOG}
static inline int draw_gap(double key, int i, int nth, double wait, int longest) {{
    unsigned long long z = ((unsigned long long)(unsigned)nth << 32) + (unsigned)i + 1;
    z = _mix64_NAME(((unsigned long long)key << 12) + z * 0x{_GOLDEN:X}ULL);
    double gap = 1 - _natural_log_NAME((double)((z >> 11) + 1) * {_UNIT!r}) * wait;
    return gap < longest ? (int)gap : longest;
}}
""",
    "draw_dither": f"""{_C_MIX}
static inline double draw_dither(double key, int event, int i, int j) {{
    unsigned long long z = ((unsigned long long)key << 12) ^ 0x{_DITHERS:X}ULL;
    z = _mix64_NAME(z + ((unsigned long long)(unsigned)event + 1) * 0x{_GOLDEN:X}ULL);
    z = _mix64_NAME(z ^ (((unsigned long long)(unsigned)i << 32) + (unsigned)j));
    return ((double)(z >> 40) + 0.5) * {_DITHER_UNIT!r};
}}
""",
}

_CYTHON_MIX = f"""
cdef unsigned long long _mix64_NAME(unsigned long long z):
    z = (z ^ (z >> 30)) * <unsigned long long>0x{_M1:X}ULL
    z = (z ^ (z >> 27)) * <unsigned long long>0x{_M2:X}ULL
    return z ^ (z >> 31)
"""
_CYTHON_LOG = f"""
from libc.math cimport frexp as _frexp_NAME

cdef double _natural_log_NAME(double x):
    cdef int e = 0
    cdef double m = _frexp_NAME(x, &e)
    if m < {_SQRT_HALF!r}:
        m = m * 2
        e = e - 1
    cdef double s = (m - 1) / (m + 1)
    cdef double q = s * s
    return s * ({_horner(_SERIES)}) + e * {_LN2!r}
"""
_CYTHON = {
    "draw_key": f"""{_CYTHON_MIX}
cdef double draw_key(int seed, int stream, int example, int attempt):
    cdef unsigned long long golden = <unsigned long long>0x{_GOLDEN:X}ULL
    cdef unsigned long long a = (<unsigned long long><unsigned int>seed << 32) + <unsigned int>stream + golden
    cdef unsigned long long b = (<unsigned long long><unsigned int>example << 32) + <unsigned int>attempt
    return <double>(_mix64_NAME(_mix64_NAME(a) ^ _mix64_NAME(b + golden)) >> 12)
""",
    "mean_wait": f"""{_CYTHON_LOG}
cdef double mean_wait(double chance):
    if chance >= 1:
        return 0.0
    cdef double rate = -_natural_log_NAME(1 - chance)
    return 1 / rate if rate > 0 else {_ENDLESS!r}
""",
    "draw_gap": f"""{_CYTHON_MIX}{_CYTHON_LOG}
cdef int draw_gap(double key, int i, int nth, double wait, int longest):
    cdef unsigned long long golden = <unsigned long long>0x{_GOLDEN:X}ULL
    cdef unsigned long long z = (<unsigned long long><unsigned int>nth << 32) + <unsigned int>i + 1
    z = _mix64_NAME((<unsigned long long>key << 12) + z * golden)
    cdef double gap = 1 - _natural_log_NAME(<double>((z >> 11) + 1) * {_UNIT!r}) * wait
    return <int>gap if gap < longest else longest
""",
    "draw_dither": f"""{_CYTHON_MIX}
cdef double draw_dither(double key, int event, int i, int j):
    cdef unsigned long long golden = <unsigned long long>0x{_GOLDEN:X}ULL
    cdef unsigned long long z = (<unsigned long long>key << 12) ^ <unsigned long long>0x{_DITHERS:X}ULL
    z = _mix64_NAME(z + (<unsigned long long><unsigned int>event + 1) * golden)
    z = _mix64_NAME(z ^ ((<unsigned long long><unsigned int>i << 32) + <unsigned int>j))
    return (<double>(z >> 40) + 0.5) * {_DITHER_UNIT!r}
""",
}


def _mix64(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_M1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_M2)
    return z ^ (z >> np.uint64(31))


def _unsigned(value: Any) -> NDArray[np.uint64]:
    return np.atleast_1d(np.asarray(value, dtype=np.int64)).astype(np.uint64)


def draw_key(seed: Any, stream: Any, example: Any, attempt: Any) -> NDArray[np.float64]:
    """Hash (seed, stream, example, attempt) to a whole number below 2**52."""
    shift = np.uint64(32)
    a = _mix64((_unsigned(seed) << shift) + _unsigned(stream) + np.uint64(_GOLDEN))
    b = (_unsigned(example) << shift) + _unsigned(attempt)
    return (_mix64(a ^ _mix64(b + np.uint64(_GOLDEN))) >> np.uint64(12)).astype(np.float64)


def natural_log(x: Any) -> NDArray[np.float64]:
    """Return the logarithm of positive numbers, by + - * / only."""
    m, e = np.frexp(np.asarray(x, dtype=np.float64))
    low = (m < _SQRT_HALF).astype(np.int64)
    m = m * (1 + low)
    s = (m - 1) / (m + 1)
    q = s * s
    series = np.full_like(q, _SERIES[0])
    for term in _SERIES[1:]:
        series = series * q + term
    found: NDArray[np.float64] = s * series + (e - low) * _LN2
    return found


def mean_wait(chance: Any) -> NDArray[np.float64]:
    """Return -1 / ln(1 - p) for the chance p of a spike in a step.

    It is the mean, in steps, of the exponential time whose whole part is geometric: 0 where a spike is certain, very
    large where there is none.
    """
    chance = np.asarray(chance, dtype=np.float64)
    certain = chance >= 1
    rate = -natural_log(1 - np.where(certain, 0.5, chance))
    never = ~(rate > 0)
    return np.where(certain, 0.0, np.where(never, _ENDLESS, 1 / np.where(never, 1.0, rate)))


def uniform(key: Any, i: Any, nth: Any) -> NDArray[np.float64]:
    """Draw numbers above 0 and up to 1 by a key from `draw_key` and two counters."""
    base = np.atleast_1d(np.asarray(key, dtype=np.float64)).astype(np.uint64) << np.uint64(12)
    counter = (_unsigned(nth) << np.uint64(32)) + _unsigned(i) + np.uint64(1)
    z = _mix64(base + counter * np.uint64(_GOLDEN))
    return ((z >> np.uint64(11)) + np.uint64(1)).astype(np.float64) * _UNIT


def draw_gap(key: Any, i: Any, nth: Any, wait: Any, longest: Any) -> NDArray[np.int32]:
    """Draw how many steps after its spike before it, or after the image appears, an input fires.

    Parameters
    ----------
    key
        Of this presentation, from `draw_key`.
    i
        Number of the input.
    nth
        How many spikes it had in this presentation.
    wait
        From `mean_wait`.
    longest
        What any longer gap is cut to.
    """
    gap: NDArray[np.float64] = np.minimum(1 - natural_log(uniform(key, i, nth)) * wait, longest)
    return gap.astype(np.int32)


def draw_dither(key: Any, event: Any, i: Any, j: Any) -> NDArray[np.float64]:
    """Draw what is added before a weight is cut to a code: (m + 1/2) / 2^24 for one of the whole numbers m below 2^24.

    Parameters
    ----------
    key
        Of this presentation, from `draw_key`.
    event
        Number of the moment and the pathway within the presentation.
    i, j
        Input and neuron of the synapse.
    """
    golden, shift = np.uint64(_GOLDEN), np.uint64(32)
    base = (np.atleast_1d(np.asarray(key, dtype=np.float64)).astype(np.uint64) << np.uint64(12)) ^ np.uint64(_DITHERS)
    z = _mix64(base + (_unsigned(event) + np.uint64(1)) * golden)
    z = _mix64(z ^ ((_unsigned(i) << shift) + _unsigned(j)))
    return ((z >> np.uint64(40)).astype(np.float64) + 0.5) * _DITHER_UNIT


def sources(name: str) -> dict[str, str]:
    """Return the text of a function for each of Brian 2's targets that compile."""
    return {target: texts[name].replace("_NAME", f"_{name}") for target, texts in (("cpp", _CPP), ("cython", _CYTHON))}


def random_functions() -> dict[str, Function]:
    """Return the functions above for Brian 2's statements on every target."""
    from snstdp_cli.brian_import import Function

    kinds = {
        "draw_key": (draw_key, ["integer"] * 4, "float"),
        "mean_wait": (mean_wait, ["float"], "float"),
        "draw_gap": (draw_gap, ["float", "integer", "integer", "float", "integer"], "integer"),
        "draw_dither": (draw_dither, ["float", "integer", "integer", "integer"], "float"),
    }
    functions = {}
    for name, (python, arguments, result) in kinds.items():
        made = Function(python, arg_units=[1] * len(arguments), return_unit=1, arg_types=arguments, return_type=result)
        for target, source in sources(name).items():
            made.implementations.add_implementation(target, source)
        functions[name] = made
    return functions
