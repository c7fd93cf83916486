"""`make results`, a part of it: run on the bundled digits, its tables have the shape of the published ones."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT / "tools"))
    EARLIER = importlib.import_module("earlier_results")
#: A grid, one in stages, one on validation images, and a search.
STUDIES = ("fashion", "switch", "shares", "search_triplet")


@pytest.mark.slow
def test_small_versions_run_and_make_tables_of_the_published_shape(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tools" / "results.py"), "small", "--workdir", str(tmp_path)]
    subprocess.run([*command, "--only", *STUDIES], check=True, capture_output=True, cwd=tmp_path)
    pages = (tmp_path / "small.md", ROOT / "docs" / "result-tables.md")
    small, published = (EARLIER.read_earlier(page).sections for page in pages)
    assert set(small) == set(STUDIES)
    for name, text in small.items():
        assert shape_of(text) == shape_of(published[name])
        assert re.search(r"^(\d+) of \1 (cells|trials)", text, flags=re.MULTILINE)
        assert all((tmp_path / figure).stat().st_size > 1000 for figure in re.findall(r"\]\((small/.*)\)", text))
        assert "![" in text
        records = (tmp_path / "small" / f"{name}.csv").read_text().splitlines()
        assert len(records) == 1 + int(re.search(r"of (\d+) (cells|trials)", text)[1])


def shape_of(text: str) -> list[tuple[str, str, int]]:
    """Return title (without its numbers), head and number of rows of each table; notes come where two seeds tie."""
    tables = re.findall(r"^(.+)\n\n(\|.*)\n\| -.*\n((?:\|.*\n)+)", text, flags=re.MULTILINE)
    return [
        (re.sub(r"\d+ seeds?", "seeds", title), head.removesuffix(" note |"), rows.count("\n"))
        for title, head, rows in tables
    ]
