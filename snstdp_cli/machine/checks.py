"""What `doctor` looks at before it runs anything: compiler, cores, folders, memory, data."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from snstdp_cli.artefacts import Workdir
from snstdp_cli.datasets import NAMES, find_dataset, load_dataset
from snstdp_cli.engines import available_cores, cache_folder, find_compiler
from snstdp_cli.engines.cache import private_folder
from snstdp_cli.engines.compiler import check_compiler, compiler_version
from snstdp_cli.errors import SnstdpError

#: Less than this is a warning: a training of 400 neurons needs about 50 MB on the disk and 100 MB of memory.
DISK_MB, MEMORY_MB = 500, 500
#: What the engines keep in the cache.
_CACHED = ("programs", "cython", "locks")


@dataclass(frozen=True)
class Finding:
    """One check: `ok`, `note` (works, but ...) or `bad`."""

    check: str
    state: Literal["ok", "note", "bad"]
    detail: str


def check_the_compiler() -> Finding:
    """Compile an empty program with the compiler that `--engine auto` would take, and with its flags."""
    try:
        compiler = find_compiler()
        if compiler is None:
            return Finding(
                "compiler", "note", "none found: --engine runtime with NumPy only; install g++ for the fast engine"
            )
        with tempfile.TemporaryDirectory(prefix="snstdp-doctor-") as folder:
            version = compiler_version(compiler)
            check_compiler(compiler, Path(folder))
    except SnstdpError as error:
        return Finding("compiler", "bad", f"--engine auto would take it, but {_one_line(error)}")
    except OSError as error:
        return Finding("compiler", "bad", f"cannot be tried: {error.strerror or error}")
    return Finding("compiler", "ok", f"{compiler}: {version}")


def check_cores(usable: int | None = None, there: int | None = None) -> Finding:
    """Compare the cores that this process may use with those of the machine."""
    usable, there = usable or available_cores(), there or os.cpu_count() or 1
    if usable >= there:
        return Finding("cores", "ok", f"{usable:,}; so many workers record side by side")
    return Finding(
        "cores",
        "ok",
        f"{usable:,} of the machine's {there:,} (affinity or the limit of a control group); so many workers record "
        "side by side",
    )


def check_places(workdir: Workdir) -> Iterator[Finding]:
    """Try every folder that is written: results, compiled programs, temporary files."""
    for folder in (workdir.weights, workdir.activity, workdir.root / "figures"):
        yield check_folder(folder, f"results {folder.name}")
    yield _check_cache()
    yield check_folder(Path(tempfile.gettempdir()), "temporary files")


def check_folder(folder: Path, what: str) -> Finding:
    """Write a file into a folder, or into the nearest one above that is there; nothing of it stays."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free / 1e6
    except OSError as error:
        reason = error.strerror or error
        return Finding(what, "bad", f"{folder}: cannot be written: {reason}; choose another folder")
    text = f"{folder.absolute()}: {free:,.0f} MB free"
    if free > DISK_MB:
        return Finding(what, "ok", text)
    return Finding(what, "note", f"{text}; {DISK_MB} are advised")


def check_memory() -> Finding:
    """Ask how much memory is free."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) / 1000
    except (OSError, StopIteration, ValueError):
        return Finding("memory", "note", "unknown on this system")
    if free > MEMORY_MB:
        return Finding("memory", "ok", f"{free:,.0f} MB free")
    return Finding("memory", "note", f"{free:,.0f} MB free; {MEMORY_MB} are advised")


def check_data(data_dir: Path | None) -> Iterator[Finding]:
    """Read the data sets that are found."""
    for name in NAMES:
        if name == "bundled":
            yield Finding("data bundled", "ok", "comes with snstdp")
        elif find_dataset(name, data_dir) is None:
            yield Finding(f"data {name}", "note", f"not found: snstdp data fetch {name}, or --data-dir")
        else:
            yield _check_dataset(name, data_dir)


def _check_cache() -> Finding:
    """Ask the engines' own question: is the folder of programs, and each in it, ours alone to write?"""
    try:
        for name in _CACHED:
            private_folder(name)
    except SnstdpError as error:
        return Finding("cache", "bad", _one_line(error))
    found = check_folder(cache_folder(), "cache")
    return (
        Finding("cache", found.state, f"{found.detail}; only this user can write it") if found.state == "ok" else found
    )


def _check_dataset(name: str, data_dir: Path | None) -> Finding:
    try:
        train, test = (load_dataset(name, "train", data_dir), load_dataset(name, "test", data_dir))
    except SnstdpError as error:
        return Finding(f"data {name}", "bad", _one_line(error))
    return Finding(f"data {name}", "ok", f"{len(train):,} and {len(test):,} images in {train.source}")


def _one_line(error: BaseException) -> str:
    lines = (" ".join(line.split()).rstrip(".") for line in str(error).splitlines())
    return ". ".join(line for line in lines if line)[:600]
