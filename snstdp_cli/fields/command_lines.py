"""Command lines that can be copied into a shell, and their options."""

from __future__ import annotations

import shlex
from pathlib import Path


def command_line(*words: str) -> str:
    """Return a command of this program, quoted for a shell.

    Examples
    --------
    >>> command_line("evaluate", "my network")
    "snstdp evaluate 'my network'"
    """
    return f"snstdp {shlex.join(words)}"


def option_words(flag: str, value: object) -> list[str]:
    """Return an option; `--name=value` where the value looks like an option.

    Examples
    --------
    >>> option_words("--seed", 3), option_words("--save-name", "-x")
    (['--seed', '3'], ['--save-name=-x'])
    """
    text = str(value)
    return [f"{flag}={text}"] if text.startswith("-") else [flag, text]


def place_words(workdir: Path, data_dir: Path | None = None) -> list[str]:
    """Return the options that say where images and results are, without those that have their defaults.

    Examples
    --------
    >>> place_words(Path("there")), place_words(Path("."))
    (['--workdir', 'there'], [])
    """
    images = [] if data_dir is None else option_words("--data-dir", data_dir)
    return [*images, *([] if workdir == Path() else option_words("--workdir", workdir))]
