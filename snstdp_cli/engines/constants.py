"""Numbers that a program reads when it starts, in place of constants that are compiled into it.

Brian 2 writes `const double eta = 0.01;` at the head of each function. Here that becomes the value of a table, which is
read once for each call of the function: the loops are the same, and so is every bit, as nothing is reordered
(`compiler`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import EngineError

#: File of the table, beside Brian 2's own arrays.
TABLE_FILE = "numbers"
_HEADER_FILE = "numbers.h"
_HEADER = """\
#ifndef SNSTDP_NUMBERS_H
#define SNSTDP_NUMBERS_H
namespace snstdp { extern double numbers[]; }
#endif
"""
_READER = f"""\
#include <cstdio>
#include <cstdlib>
#include "{_HEADER_FILE}"
namespace snstdp {{ double numbers[COUNT]; }}
namespace {{
struct Reader {{
    Reader() {{
        FILE* file = std::fopen("static_arrays/{TABLE_FILE}", "rb");
        const size_t read = file ? std::fread(snstdp::numbers, sizeof(double), COUNT, file) : 0;
        if (file) std::fclose(file);
        if (read == COUNT) return;
        std::fputs("cannot read the numbers of the network\\n", stderr);
        std::exit(1);
    }}
}} reader;
}}
"""
_DECLARED = re.compile(
    r"^(?P<head>[ \t]*const (?P<type>double|int32_t|int64_t) (?P<name>\w+) = )(?P<value>[^;]+);", re.MULTILINE
)
#: Whole numbers below this are the same as doubles.
_EXACT = 2**53


def is_tabled(value: Any) -> bool:
    """Tell whether a number can be read from the table: a plain one that a double holds."""
    return type(value) is float or (type(value) is int and abs(value) < _EXACT)


def describe_numbers(numbers: Mapping[str, Any]) -> list[list[str]]:
    """Say what a program hangs on: each number's name and type, and the value of those that are compiled into it."""
    return [
        [name, type(value).__name__, "" if is_tabled(value) else repr(value)] for name, value in sorted(numbers.items())
    ]


def tabled_names(numbers: Mapping[str, Any]) -> list[str]:
    """Return the names of the numbers in the table, in its order."""
    return sorted(name for name, value in numbers.items() if is_tabled(value))


def make_table(names: Sequence[str], numbers: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the table for a program that wants the numbers `names`."""
    return np.array([numbers[name] for name in names], dtype=np.float64)


def read_numbers_at_start(sources: Path, numbers: Mapping[str, Any]) -> None:
    """Change the sources of a program so that it reads its numbers from the table.

    Parameters
    ----------
    sources
        The project that Brian 2 wrote.
    numbers
        The numbers that it was written with.

    Raises
    ------
    EngineError
        If a source has another value for a number than `numbers`: a fault of ours, which would give wrong results.
    """
    names = tabled_names(numbers)
    for path in (sources / "code_objects").glob("*.cpp"):
        path.write_text(_use_table(path.read_text(), names, numbers))
    (sources / _HEADER_FILE).write_text(_HEADER)
    (sources / "numbers.cpp").write_text(_READER.replace("COUNT", str(len(names))))


def _use_table(source: str, names: Sequence[str], numbers: Mapping[str, Any]) -> str:
    places = {name: place for place, name in enumerate(names)}

    def rewrite(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in places:
            return found[0]
        if _value(found["value"]) != numbers[name]:
            raise EngineError(f"the constant {name} is {found['value']} in a program, expected {numbers[name]!r}")
        return f"{found['head']}({found['type']})snstdp::numbers[{places[name]}];"

    changed = _DECLARED.sub(rewrite, source)
    return source if changed == source else f'#include "{_HEADER_FILE}"\n{changed}'


def _value(text: str) -> float | None:
    """Return the value of a number as Brian 2 writes it, such as `- 0.5`; None for any other expression."""
    try:
        return float(re.sub(r"[\s()]", "", text))
    except ValueError:
        return None
