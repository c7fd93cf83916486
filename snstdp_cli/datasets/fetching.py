"""Download MNIST and Fashion-MNIST: by HTTPS only, from mirrors in turn, checked by SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from snstdp_cli.datasets.files import expand, open_regular
from snstdp_cli.datasets.locating import cache_folder, check_name
from snstdp_cli.datasets.published import SHA256
from snstdp_cli.errors import DataError

MIRRORS = {
    "mnist": (
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    "fashion-mnist": (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
}


def fetch_dataset(name: str, target: Path | None = None) -> list[Path]:
    """Download the four files of a data set, over HTTPS and checked by SHA-256; files already there are kept.

    Parameters
    ----------
    name
        `mnist` or `fashion-mnist`.
    target
        Folder to write to; by default the user's cache, where `load_dataset` looks.

    Returns
    -------
    paths
        The gzipped IDX files.

    Raises
    ------
    DataError
        If the folder cannot be written, holds other files of these names, or every mirror fails for a file.
    """
    check_name(name)
    if name not in MIRRORS:
        known = "comes with snstdp" if name == "bundled" else "is your own data"
        raise DataError(f"{name}: {known}, there is nothing to fetch; expected: mnist or fashion-mnist")
    folder = cache_folder(name, None) if target is None else expand(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_other_files(name, folder, replace=target is None)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{folder}: cannot be used as a folder for {name}: {reason}; choose another one") from None
    mirrors = list(MIRRORS[name])
    paths = []
    for file_name in SHA256[name]:
        path, mirror = _fetch_file(name, file_name, folder, mirrors)
        mirrors.sort(key=lambda other: other != mirror)  # the one that answered comes first for the next file
        paths.append(path)
    return paths


def _fetch_file(name: str, file_name: str, folder: Path, mirrors: list[str]) -> tuple[Path, str]:
    import pooch  # slow to import, and only needed here

    pooch.get_logger().setLevel("WARNING")
    failures = []
    for mirror in mirrors:
        try:
            path = pooch.retrieve(
                url=mirror + file_name,
                known_hash=f"sha256:{SHA256[name][file_name]}",
                fname=file_name,
                path=folder,
                progressbar=False,
            )
        except Exception as error:  # the network fails in many ways; each means the next mirror
            failures.append(f"  {mirror}{file_name}: {' '.join(str(error).split()) or type(error).__name__}")
        else:
            return Path(path), mirror
    raise DataError(
        f"{name}: no mirror delivered the published {file_name}:\n"
        + "\n".join(failures)
        + f"\nGet these files by hand, put them into a folder and name it by --data-dir: {', '.join(SHA256[name])}"
    )


def _refuse_other_files(name: str, folder: Path, *, replace: bool) -> None:
    """Raise if a download would replace what is no file, or, unless `replace`, a file that is not the published one."""
    for file_name, sha256 in SHA256[name].items():
        path = folder / file_name
        if not path.exists():
            continue
        with open_regular(path, f"the published file of {name}") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != sha256 and not replace:
            raise DataError(
                f"{path}: is there already, and not the published file of {name} (SHA-256 {found[:12]}..., "
                f"expected {sha256[:12]}...); move it away or choose another folder"
            )
