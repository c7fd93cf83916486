"""A browser shows the report: scripts run without an error, tables sort, neurons can be looked at."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from stored_networks import N_E, make_network
from test_report import page_of

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium found")

# What a reader does, noted down in the document's element; it runs after the page's own script.
ACTIONS = """
const seen = {};
const press = (element, key) => element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const table = document.querySelector("#classes table");
const head = table.tHead.rows[0].cells[1];
const numbers = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[1].dataset.sort));
const step = () => { head.querySelector("button").click(); return [head.getAttribute("aria-sort"), numbers()]; };
seen.sorted = [["none", numbers()], step(), step(), step()];
const buttons = [...document.querySelectorAll("table.sortable thead th")].map((th) => th.querySelector("button"));
seen.focusable = buttons.every((button) => button.tabIndex === 0);

const explorer = document.querySelector(".explorer");
const grid = explorer.querySelector(".grid-box canvas");
const state = () => [explorer.dataset.neuron, explorer.querySelector("h4").textContent];
seen.fields = [state()];
press(grid, "ArrowRight"); seen.fields.push(state());
press(grid, "End"); seen.fields.push(state());
const box = grid.getBoundingClientRect();
const event = { clientX: box.left + 2, clientY: box.top + 2, bubbles: true, pointerType: "touch" };
grid.dispatchEvent(new PointerEvent("click", event)); seen.fields.push(state());
const hover = { ...event, clientX: box.left + box.width * 1.5 / 8, pointerType: "mouse" };
grid.dispatchEvent(new PointerEvent("pointermove", hover)); seen.fields.push(state());
const after = grid.getBoundingClientRect();
seen.moved = [after.top - box.top, after.width - box.width];
const select = explorer.querySelectorAll("select")[1];
select.value = "1"; select.dispatchEvent(new Event("change"));
seen.filtered = grid.getAttribute("aria-valuemax");
seen.text = grid.getAttribute("aria-valuetext");
seen.bars = explorer.querySelectorAll(".bars i").length;
const pixels = grid.getContext("2d").getImageData(0, 0, grid.width, grid.height).data;
seen.colours = new Set(Array.from({ length: pixels.length / 4 }, (_, k) => pixels.slice(4 * k, 4 * k + 3).join())).size;
const scaling = explorer.querySelectorAll("select")[2];
const before = grid.toDataURL();
scaling.value = "neuron"; scaling.dispatchEvent(new Event("change"));
seen.rescaled = grid.toDataURL() !== before;
const settings = document.querySelector("#configuration .scroll");
const hint = () => [...settings.classList].filter((name) => name.startsWith("more")).sort();
settings.style.width = "200px"; settings.dispatchEvent(new Event("scroll")); seen.scroll = [hint()];
settings.scrollLeft = 1e6; settings.dispatchEvent(new Event("scroll")); seen.scroll.push(hint());
settings.style.width = "";
seen.wide = document.documentElement.scrollWidth <= window.innerWidth;
document.documentElement.dataset.seen = JSON.stringify(seen);
"""


def dump(page: str, folder: Path, *flags: str) -> str:
    """Return the document as it is after its scripts ran."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    assert BROWSER is not None
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder / 'profile'}",
        "--virtual-time-budget=2000",
        *flags,
        "--dump-dom",
        path.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def allow_scripts(page: str) -> str:
    """Take back the policy that lets no script but the page's own run."""
    opened, num = re.subn('script-src [^"]*"', 'script-src &#x27;unsafe-inline&#x27;"', page)
    assert num == 1
    return opened


def root_attributes(document: str) -> dict[str, str]:
    opening = re.search(r"<html([^>]*)>", document)
    assert opening is not None
    return {key: html.unescape(value) for key, value in re.findall(r'([\w-]+)="([^"]*)"', opening[1])}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    root = tmp_path_factory.mktemp("browser")
    make_network(root, "one")
    return page_of(make_network(root, "two", seed=1), "one", "two")


@pytest.fixture(scope="module")
def untouched(page, tmp_path_factory):
    return dump(page, tmp_path_factory.mktemp("untouched"))


@pytest.fixture(scope="module")
def seen(page, tmp_path_factory):
    """Return what a reader sees who uses the page; only this copy lets another script in."""
    opened = allow_scripts(page)
    opened = opened.replace("</body>", f"<script>{ACTIONS}</script></body>")
    attributes = root_attributes(dump(opened, tmp_path_factory.mktemp("used"), "--window-size=500,900"))
    assert "data-errors" not in attributes
    return json.loads(attributes["data-seen"])


def test_the_scripts_end_without_an_error(untouched):
    attributes = root_attributes(untouched)
    assert attributes["data-ready"] == "yes"
    assert "data-errors" not in attributes
    assert "script-failed" not in re.sub(r"<style>.*?</style>|<script.*?</script>", "", untouched, flags=re.DOTALL)


def test_the_parts_that_scripts_make_are_there(untouched):
    assert untouched.count('class="grid-box"') == 2
    assert untouched.count('class="marker"') == 2
    assert len(re.findall(r'<canvas[^>]*data-source="growth-\d"[^>]*width="6"', untouched)) == 2 * 3 * 8
    assert untouched.count('aria-sort="none"') >= 8


def test_another_script_cannot_run(page, tmp_path):
    attacked = page.replace("</body>", "<script>document.documentElement.dataset.hacked = 1</script></body>")
    assert "data-hacked" not in root_attributes(dump(attacked, tmp_path))


def test_an_error_of_a_script_is_told(page, tmp_path):
    broken = allow_scripts(page)
    broken = broken.replace("</body>", "<script>nonsense()</script></body>")
    document = dump(broken, tmp_path)
    assert "nonsense is not defined" in root_attributes(document)["data-errors"]
    assert "A script failed on this page" in document


def test_tables_sort_by_their_headers(seen):
    (first, original), (up, rising), (down, falling), (last, again) = seen["sorted"]
    assert [first, up, down, last] == ["none", "ascending", "descending", "none"]
    assert rising == sorted(original)
    assert falling == sorted(original, reverse=True)
    assert again == original
    assert seen["focusable"]


def test_neurons_are_chosen_by_keys_taps_and_pointing(seen):
    numbers = [number for number, _ in seen["fields"]]
    assert numbers == ["0", "1", str(N_E - 1), "0", "1"]
    assert all(title.startswith(f"Neuron {number}: ") for number, title in seen["fields"])


def test_the_grid_stays_where_it_is_under_the_pointer(seen):
    assert seen["moved"] == [0, 0]


def test_neurons_of_a_class_can_be_picked(seen):
    assert int(seen["filtered"]) < N_E - 1
    assert seen["text"].endswith("class 1")
    assert seen["bars"] == 4
    assert seen["rescaled"]
    assert seen["colours"] > 10


def test_a_narrow_window_needs_no_sideways_scrolling(seen):
    assert seen["wide"]


def test_a_table_that_is_too_wide_shows_where_it_goes_on(seen):
    assert seen["scroll"] == [["more-right"], ["more-left"]]


def test_a_wide_window_is_used(page, tmp_path):
    script = "document.documentElement.dataset.main = document.querySelector('main').clientWidth"
    opened = allow_scripts(page).replace("</body>", f"<script>{script}</script></body>")
    attributes = root_attributes(dump(opened, tmp_path, "--window-size=1700,900"))
    assert int(attributes["data-main"]) > 1600
