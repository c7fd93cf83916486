"""The folder of compiled code, which nobody else may write: what lies in it is run.

Folders are made with mode 0700. Folders and files that another user owns, that others can write, or that are links
are refused with a sentence, never run and never repaired: whoever could write them may have done so.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from pathlib import Path

import platformdirs

from snstdp_cli.errors import EngineError

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_ELSEWHERE = "or name another folder by the environment variable SNSTDP_CACHE"


def cache_folder() -> Path:
    """Return where compiled code is kept: `$SNSTDP_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("SNSTDP_CACHE")
    return Path(chosen).absolute() if chosen else Path(platformdirs.user_cache_dir("snstdp"))


def private_folder(*names: str) -> Path:
    """Return a folder below the cache folder that only this user can write; make it if need be.

    Raises
    ------
    EngineError
        If it cannot be made, or if somebody else could write it or a folder on the way from the cache folder.
    """
    folder = cache_folder()
    try:
        _make_root(folder)
        for name in names:
            folder = folder / name
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            refuse_foreign(folder)
    except OSError as error:
        raise EngineError(
            f"cannot use {folder} for compiled programs: {error.strerror or error}; make it writable, {_ELSEWHERE}"
        ) from None
    return folder


def refuse_foreign(path: Path) -> None:
    """Raise `EngineError` unless a file or folder is no link, is owned by this user or root, and by them alone written.

    Raises
    ------
    OSError
        If there is no such file.
    """
    status = path.lstat()
    shown = shlex.quote(str(path))
    if stat.S_ISLNK(status.st_mode):
        raise EngineError(
            f"{path}: a link in the folder of compiled programs, which holds none; delete it, {_ELSEWHERE}"
        )
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise EngineError(f"{path}: neither a file nor a folder; delete it, {_ELSEWHERE}")
    _refuse_owner(path, status)
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise EngineError(
            f"{path}: other users can write here (mode {stat.S_IMODE(status.st_mode):04o}), and what lies here is run; "
            f"if you trust its content, run `chmod go-w {shown}`, otherwise delete it, {_ELSEWHERE}"
        )


def _refuse_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in (0, os.geteuid()):
        raise EngineError(
            f"{path}: belongs to another user (number {status.st_uid}), and what lies here is run; use a folder "
            f"of your own, {_ELSEWHERE}"
        )


def _make_root(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if folder.is_symlink():
        # A user may keep the cache on another disk; the link itself must then be the user's.
        _refuse_owner(folder, folder.lstat())
        folder = folder.resolve(strict=True)
    status = folder.stat()
    nothing_yet = not any((folder / name).exists() for name in ("programs", "cython"))
    if nothing_yet and status.st_uid == os.geteuid() and status.st_mode & _WRITABLE_BY_OTHERS:
        # Made for downloads with a generous umask: no program was put there by anybody.
        folder.chmod(stat.S_IMODE(status.st_mode) & ~_WRITABLE_BY_OTHERS)
    refuse_foreign(folder)
