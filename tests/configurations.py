"""Experiments from YAML text, as the command line makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snstdp_cli.config import Experiment, build_experiment, parse_override, read_file
from snstdp_cli.errors import ConfigError


def load(folder: Path, text: str | bytes) -> Experiment:
    """Read a configuration as the command line does."""
    path = folder / "my.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return build_experiment(read_file(path), where="my.yaml")


def refusal(folder: Path, text: str | bytes) -> str:
    """Return why a configuration is refused."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    assert caught.value.exit_code == 2
    return str(caught.value)


def with_overrides(content: Any, *texts: str) -> Experiment:
    """Override settings with `--set` texts."""
    return build_experiment(content, dict(parse_override(text) for text in texts))
