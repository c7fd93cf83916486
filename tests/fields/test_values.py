"""Numbers as people and other programs write them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from snstdp_cli.fields import plain_number, whole_number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((3, 3), (0.5, 0.5), ("1e-3", 0.001), ("+.5", 0.5), ("1.", 1.0), ("1_000", 1000.0), ("-0.0", 0.0)),
        *((np.int64(3), 3), (np.uint8(3), 3), (np.float32(0.5), 0.5), (np.float64(0.1), 0.1), (Fraction(1, 2), 0.5)),
    ],
)
def test_a_number_becomes_pythons(value: Any, number: float) -> None:
    found = plain_number(value)
    assert (repr(found), type(found)) == (repr(number), type(number))


@pytest.mark.parametrize(
    "value",
    [
        *(True, np.bool_(True), None, "", "x", "0x10", "017", "1:30", "nan", "\N{FULLWIDTH DIGIT ONE}", [1], 1j, b"1"),
        *(Decimal(1), np.array([1]), Fraction(10**400)),
    ],
)
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not a number"):
        plain_number(value)


def test_a_whole_number_may_have_a_dot_or_an_exponent() -> None:
    assert [whole_number(value) for value in ("2e4", 2e4, "20_000", np.float64(2e4))] == [20_000] * 4
    assert all(type(whole_number(value)) is int for value in ("2e4", 2e4))
    assert whole_number(1.5) == 1.5
    assert repr(whole_number(float("inf"))) == "inf"
