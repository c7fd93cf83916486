"""The command `data info`."""

from __future__ import annotations

from pathlib import Path

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_json, print_table
from snstdp_cli.errors import DataError


def info(data_dir: o.DataDir = None, as_json: o.Json = False) -> None:
    """Say which data sets are found, where and how large they are.

    Example: snstdp data info
    """
    from snstdp_cli.datasets import NAMES

    rows = [_describe(name, data_dir) for name in NAMES]
    if as_json:
        print_json({row["name"]: row for row in rows})
        return
    print_table(
        ("data set", "training", "test", "image", "where"),
        [(r["name"], r["train"], r["test"], r["image"], r["source"]) for r in rows],
    )


def _describe(name: str, data_dir: Path | None) -> dict[str, str]:
    from snstdp_cli.datasets import load_dataset

    row = {"name": name, "train": "-", "test": "-", "image": "-"}
    try:
        loaded = {"train": load_dataset(name, "train", data_dir), "test": load_dataset(name, "test", data_dir)}
    except DataError as error:
        return {**row, "source": str(error).split(":", 1)[-1].strip()}
    rows, cols = loaded["train"].images.shape[1:]
    source = loaded["train"].source
    if loaded["train"].bundled and name == "mnist":
        source += " (MNIST was not found: snstdp data fetch mnist)"
    return {**row, **{k: f"{len(v):,}" for k, v in loaded.items()}, "image": f"{rows} x {cols}", "source": source}
