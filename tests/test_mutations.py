"""The script that breaks the package on purpose: what it replaces is there."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_every_mutation_applies_to_the_code_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    mutate, mutations = (importlib.import_module(name) for name in ("mutate", "mutations"))
    assert len(mutations.MUTATIONS) > 300
    gone = [
        (file, old)
        for file, old, new, occurrence in mutations.MUTATIONS
        if mutate.mutate((ROOT / "snstdp_cli" / file).read_text(), old, new, occurrence) is None
    ]
    assert not gone
