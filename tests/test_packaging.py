"""What is published names no machine and no registry, is locked by hashes, and agrees about its version."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import snstdp_cli

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = [ROOT / "requirements" / f"py3{minor}.txt" for minor in (11, 12, 13)]

# Put together here, so that this file does not hold them.
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "--index" + "-url", "--extra" + "-index", "--find" + "-links"]
FOLDERS = ["/" + name + "/" for name in ("work", "root", "home")]
# A path is absolute if nothing that could begin a relative path or a web address stands before it.
FORBIDDEN = re.compile("|".join([*map(re.escape, HOSTS), *(rf"(?<![\w.~)}}-]){folder}" for folder in FOLDERS)]))

each_lock = pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)


def published_texts() -> list[Path]:
    """Return the text files that git tracks or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone")
    paths = [ROOT / name for name in sorted(set(listed.split("\0"))) if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


def pins(path: Path) -> dict[str, str]:
    """Return each requirement of a lock file with the rest of its entry."""
    text = re.sub(r"\\\n", " ", path.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.split("==")[0].strip(): line for line in lines}


def name_of(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9-]", requirement)[0].lower()


def requirements_of(extra: str) -> list[str]:
    """Return the requirements of an extra, those of the extras in it too."""
    found = []
    for requirement in PROJECT["project"]["optional-dependencies"][extra]:
        inner = re.fullmatch(rf"{PROJECT['project']['name']}\[([\w,]+)\]", requirement)
        found += [one for name in inner[1].split(",") for one in requirements_of(name)] if inner else [requirement]
    return found


def test_no_text_names_a_registry_or_a_folder_of_a_machine():
    found = []
    for path in published_texts():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if match := FORBIDDEN.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", [f"cd {FOLDERS[0]}x", f'"{FOLDERS[1]}.cache"', f"see {HOSTS[0]}/simple"])
def test_the_search_finds_what_it_looks_for(text):
    assert FORBIDDEN.search(text)


@pytest.mark.parametrize("text", [f"docs{FOLDERS[0]}x", f"..{FOLDERS[0]}x", "a network / root / home"])
def test_the_search_leaves_relative_paths_alone(text):
    assert not FORBIDDEN.search(text)


@each_lock
def test_a_lock_pins_every_requirement_with_hashes(path):
    entries = pins(path)
    assert len(entries) > 20
    for name, entry in entries.items():
        assert re.match(r"\S+==\S+( ; .+?)? +--hash=sha256:[0-9a-f]{64}", entry), f"{path.name}: {name}"


@each_lock
def test_a_lock_serves_running_testing_and_building(path):
    project = PROJECT["project"]
    wanted = project["dependencies"] + requirements_of("dev") + PROJECT["build-system"]["requires"]
    missing = {name_of(requirement) for requirement in wanted} - set(pins(path))
    assert not missing, f"{path.name}: run `make lock`"


def test_the_locks_hold_a_brian2_and_numpy_that_fit_each_other():
    # brian2 2.9 is the newest for Python 3.11 and cannot be imported with numpy 2.4 or newer.
    entries = pins(LOCKS[0])
    assert entries["brian2"].startswith("brian2==2.9.")
    assert int(entries["numpy"].split("==")[1].split(".")[1]) < 4


def test_there_is_a_lock_for_each_supported_python():
    known = {line.rsplit(" ", 1)[1] for line in PROJECT["project"]["classifiers"] if "Python :: 3." in line}
    assert known == {f"3.{path.stem.removeprefix('py3')}" for path in LOCKS}
    assert all(path.is_file() for path in LOCKS)


def test_all_files_agree_about_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    version = PROJECT["project"]["version"]
    assert snstdp_cli.__version__ == version
    assert str(citation["version"]) == version
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[?{re.escape(version)}\b", changes, re.MULTILINE)


def test_the_citation_names_both_papers():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {paper["doi"] for paper in citation["references"]} == {
        "10.1016/j.neucom.2026.133419",
        "10.3389/fncom.2015.00099",
    }


def test_every_package_folder_is_declared():
    folders = {path.parent for path in (ROOT / "snstdp_cli").rglob("__init__.py")}
    found = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])
