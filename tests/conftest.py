"""One cache of compiled programs for the whole session, and small networks that the tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _program_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compile each program once a session, in a folder that no user's cache shares."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNSTDP_CACHE", str(tmp_path_factory.mktemp("programs")))
        yield
