"""Every command in the documentation is understood and does what it says, and every link leads somewhere."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pooch
import pytest
import typer
import yaml
from made_up_peer import write_interpreter
from typer.testing import CliRunner

from snstdp_cli.cli.app import app
from snstdp_cli.machine.bench import measure
from snstdp_cli.machine.bench.cases import Case

ROOT = Path(__file__).parents[1]
SITE_PAGES = sorted((ROOT / "docs").rglob("*.md"))
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *SITE_PAGES])


def commands(page: Path) -> list[str]:
    """Return the snstdp commands of a page: lines of code blocks, and code within the text."""
    # What stands between fences with a name in braces is said to Sphinx; it is no command.
    text = re.sub(r"^(```|:::)\{.*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`(snstdp [^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    found = [*lines, *(" ".join(code.split()) for code in inline)]
    return list(dict.fromkeys(line.split(" # ")[0].split(" > ")[0] for line in found if line.startswith("snstdp ")))


ALL = [pytest.param(page, line, id=f"{page.stem}: {line}") for page in PAGES for line in commands(page)]


def test_commands_are_found() -> None:
    assert len(commands(ROOT / "README.md")) > 15


@pytest.mark.parametrize(("page", "line"), ALL)
def test_a_command_is_understood(page: Path, line: str) -> None:
    """Parse it as the program would: an unknown command, option or type of value raises."""
    words = shlex.split(line)[1:]
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        if not words or not words[0][0].isalpha():
            return
        word = words.pop(0)
        assert word in command.commands, f"{page.name}: no command '{word}' in: {line}"
        command = command.commands[word]
    if words and set(words) & {"...", "…"}:
        return
    command.make_context(command.name, words)


#: What makes a command short; options that come later win. Results are then poor, but everything is done.
SHORT = {
    "init-weights": "--n-e 20 --force",
    "train": "--n-e 20 --num-examples 60 --force",
    "test": "--num-examples 40 --force",
    "run": "--n-e 20 --num-examples 60 --set evaluation.assign_examples=40 --set evaluation.test_examples=40 "
    "--set evaluation.curve_every=40 --set evaluation.curve_examples=20 --force",
    "bench": "--repeats 2",
}
#: Pages name results before they say how to make them: networks first, recordings next.
ORDER = ("data", "init", "init-weights", "run", "train", "test", "bench")
#: Names of commands, written as one types them.
NAMES = {f"snstdp {name}" for name in ("run", "train", "test", "evaluate")}
#: Networks that a page is about and does not make, and other commands that it takes for granted.
PREPARED = {
    "README": ["snstdp run --config configs/smax_400.yaml"],
    "commands": [f"snstdp test --load-name start --split {split}" for split in ("train", "test")],
    "faq": ["snstdp run --config configs/smax_400.yaml --save-name mine"],
    "hardware": [f"snstdp run --config configs/smax_400.yaml --save-name {name}" for name in ("mine", "other")],
    "report": [f"snstdp run --config configs/smax_400.yaml --save-name {name}" for name in ("mine", "other", "third")],
    "results": [
        f"snstdp run --config configs/{name}.yaml --set checkpoint_every=20" for name in ("smin_400", "smax_400")
    ],
    "troubleshooting": ["snstdp run --config configs/smax_400.yaml --save-name mine"],
}
#: Pages that other tests follow, such as `tests/evaluation/` and `tests/results/test_online.py` evaluation.md.
ELSEWHERE = ("data", "own-data", "searches", "studies", "evaluation", "result-tables")
#: What must be there in the end; data.md and own-data.md are followed by tests in `tests/datasets/`, the pages about
#: studies and searches by `tests/studies/` and `tests/test_validation.py`, notebooks when the site is built.
LEFT = {
    "README": (
        "my.yaml",
        "weights/XeAemine.npy",
        "weights/theta_Asmin_400.npy",
        "figures/smin_400.classes.png",
        "figures/mine.fields.png",
        "figures/report.mine.html",
        "answers.csv",
        "spikes.npz",
    ),
    "commands": ("my.yaml", "weights/XeAemine.npy", "figures/mine.fields.png", "answers.csv", "spikes.npz"),
    "configuration": ("my.yaml",),
    "faq": ("weights/longer.json", "activity/resultPopVecs40.npy", "activity/inputNumbers40.npy"),
    "hardware": ("activity/mine.test.40.four.npz", "chip/learn/updates.mem"),
    "own-rule": ("weights/graded.json",),
    "performance": ("docs/performance.md", "docs/performance.png"),
    "python": ("first.png", "weights/mine.json", "activity", "figures/report.first.html"),
    "reliability": (),
    "report": ("figures/report.mine.html", "figures/report.mine_vs_other_vs_third.html"),
    "results": ("figures/smin_400.evolution.png", "figures/smin_400.raster.png"),
    "rules": (),
    "start": ("figures/first.classes.png", "figures/report.first_vs_second.html"),
    "troubleshooting": ("figures/report.mine.html", "weights/longer.json"),
}


def test_each_page_with_commands_is_followed_by_a_test() -> None:
    assert {page.stem for page in PAGES if commands(page)} == {*LEFT, *ELSEWHERE}


#: What stands for the words of a page that a reader replaces.
STAND_INS = {"PATH": "yardstick.py", "PYTHON": "./peer", "FILE": "activity/resultPopVecs40.npy"}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what a clone has and the pages use, no MNIST, no network, and one small case to measure."""
    for name in ("configs", "examples", "weights"):
        shutil.copytree(ROOT / name, tmp_path / name)
    _shorten_study(tmp_path / "configs" / "studies" / "rest.yaml")
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNSTDP_DATA", raising=False)
    monkeypatch.setattr(pooch, "retrieve", lambda **call: str(Path(call["path"]) / call["fname"]))
    monkeypatch.setattr(measure, "list_cases", lambda quick: [Case("standalone", "smax", 20, 0.5)])
    np.savez(tmp_path / "new.npz", images=np.random.default_rng(0).integers(0, 255, (3, 28, 28), dtype=np.uint8))
    cost = json.dumps({"cpu_ms_per_presentation": {"median": 2.0, "min": 1.0, "max": 3.0}})
    (tmp_path / "yardstick.py").write_text(f"print({cost!r})\n")
    write_interpreter(tmp_path)
    return tmp_path


def _shorten_study(path: Path) -> None:
    """Make cells of half an hour small ones, and of the digits that come along; no option of `study run` does."""
    study = yaml.safe_load(path.read_text(encoding="utf-8"))
    study["base"] |= {"data": "bundled", "num_examples": 40, "evaluation": {"assign_examples": 40, "test_examples": 40}}
    study["vary"]["size"] = [{"n_e": 20}]
    path.write_text(yaml.safe_dump(study | {"seeds": 2}), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.compiles
@pytest.mark.parametrize("page", [page for page in PAGES if page.stem in LEFT], ids=lambda page: page.stem)
def test_a_page_can_be_followed(page: Path, desk: Path) -> None:
    """Run all commands of a page, shortened, in an order in which each finds what it needs."""
    lines = [*PREPARED.get(page.stem, ()), *(line for line in commands(page) if line not in NAMES)]
    if page.stem == "python":
        follow_python(page)
    if page.stem == "own-rule":
        subprocess.run([sys.executable, "examples/own_data/make_data.py"], check=True)
    for line in sorted(lines, key=lambda line: _rank(line.split()[1])):
        words = shlex.split(line)[1:]
        example = "--config examples/" in line  # short as it is
        more = "--more" in words  # a training that goes on keeps all other settings
        words += ["--json"] if example else shlex.split("--more 60" if more else SHORT.get(words[0], ""))
        words = [STAND_INS.get(word, word) for word in words]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, f"{line}\n{shlex.join(words)}\n{result.output}\n{result.exception!r}"
        assert result.output.strip(), line
        assert not example or json.loads(result.stdout)["accuracy"] >= 0.9, result.stdout
    for name in LEFT[page.stem]:
        assert (desk / name).stat().st_size > 0


def follow_python(page: Path) -> None:
    """Run the Python of a page, a block after the other as in a notebook."""
    names: dict[str, object] = {"__name__": "notebook"}
    matplotlib.use("Agg")
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        exec(compile(block, page.name, "exec"), names)


def _rank(command: str) -> int:
    return ORDER.index(command) if command in ORDER else len(ORDER)


@pytest.mark.parametrize(("page", "line"), ALL)
def test_a_configuration_that_is_named_exists(page: Path, line: str) -> None:
    for name in re.findall(r"(?:configs|examples)/[\w/.-]+\.yaml", line):
        assert (ROOT / name).is_file(), f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_test_that_is_named_is_there(page: Path) -> None:
    for name in re.findall(r"`(tests/[\w/*]+\.py)`", page.read_text(encoding="utf-8")):
        assert list(ROOT.glob(name)), f"{page.name}: {name}"


def test_each_page_is_in_the_contents_of_the_site() -> None:
    """Sphinx says it too, but only where it is installed."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", index, re.MULTILINE | re.DOTALL)
    listed = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    pages = [str(page.relative_to(ROOT / "docs").with_suffix("")) for page in SITE_PAGES]
    assert sorted([*listed, "index"]) == sorted(pages)


def test_no_page_is_called_as_one_that_sphinx_makes() -> None:
    """A page of that name would be overwritten."""
    assert not {"search", "genindex", "py-modindex"} & {page.stem for page in SITE_PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_to_a_place_in_a_page_leads_to_a_heading(page: Path) -> None:
    for target, place in re.findall(r"\]\(([^)#: ]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        text = ((page.parent / target) if target else page).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert place in slugs, f"{page.name}: {target}#{place}"


@pytest.mark.parametrize("target", ["demo", "test", "check", "format", "bench", "docs"])
def test_make_has_the_targets_that_are_named(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
