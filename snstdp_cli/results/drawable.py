"""Numbers that cannot be drawn, however right they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from snstdp_cli.errors import DataError

#: Beyond this, sums and the room around numbers would not be finite.
LARGEST = 1e100


def check_drawable(values: ArrayLike, what: str) -> None:
    """Raise `DataError` for NaN, infinity, and numbers so large that no axis can hold them."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise DataError(f"expected finite {what}, found NaN or infinity")
    if array.size and (largest := float(np.abs(array).max())) > LARGEST:
        raise DataError(f"expected {what} of at most {LARGEST:g}, found {largest:g}, which cannot be drawn")
