"""How many damaged files and texts the fuzz tests try: 11,000 files and 3,350 configurations.

`make test` tries a quarter of them, `make slow` all, and `SNSTDP_FUZZ=20 pytest -m fuzz` twenty times as many.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

TIMES = float(os.environ.get("SNSTDP_FUZZ", "0.25"))


def tries(count: int, *accepted: HealthCheck) -> Callable[[Callable[..., Any]], Any]:
    """Let hypothesis draw `count` examples for a test, times `SNSTDP_FUZZ`, and accept what its health checks find."""
    how = settings(max_examples=round(count * TIMES), deadline=None, suppress_health_check=accepted)
    return lambda test: pytest.mark.fuzz(how(test))
