"""The script that breaks the package on purpose: what it replaces is there."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("mutate_tool", ROOT / "tools" / "mutate.py")
assert SPEC is not None
assert SPEC.loader is not None
TOOL = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = TOOL
SPEC.loader.exec_module(TOOL)


def test_every_mutation_applies_to_the_code_as_it_is() -> None:
    gone = [
        (file, old)
        for file, old, new, occurrence in TOOL.MUTATIONS
        if TOOL.mutate((ROOT / "snstdp_cli" / file).read_text(), old, new, occurrence) is None
    ]
    assert not gone
