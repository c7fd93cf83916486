"""What is told before a run: which images, which engine, where the results go."""

from __future__ import annotations

import contextlib
from pathlib import Path

from snstdp_cli.cli.console import print_note, print_warning
from snstdp_cli.config import Experiment
from snstdp_cli.errors import SnstdpError


def tell_plan(experiment: Experiment, workdir: Path, data_dir: Path | None, quiet: bool) -> None:
    """Say what will be run, on which images, and with which engine."""
    bundled = tell_of_bundled(experiment.data, data_dir)
    _tell_of_thresholds(experiment, workdir)
    if quiet:
        return

    from snstdp_cli.engines import choose_engine

    print_note(
        f"{experiment.n_e:,} neurons, rule {experiment.rule.name}, dt {experiment.dt:g} ms, "
        f"{experiment.num_examples:,} examples of {'the bundled subset' if bundled else experiment.data}, "
        f"seed {experiment.seed}, {choose_engine(experiment)} engine; "
        f"results: {workdir / 'weights'}, {workdir / 'activity'}"
    )


def tell_of_bundled(name: str, data_dir: Path | None) -> bool:
    """Tell whether the bundled subset stands in for MNIST alone, and say so if it does for a part too.

    Where it may not, loading it says why.
    """
    from snstdp_cli.datasets import find_dataset, joined_names, load_dataset

    if "mnist" not in (*joined_names(name), name) or find_dataset("mnist", data_dir) is not None:
        return False
    if not load_dataset("mnist", "train", data_dir).bundled:
        return False
    print_warning(
        "MNIST was not found: using the bundled subset of 5,000 training and 1,000 test images; get all of it with "
        "`snstdp data fetch mnist`, or name its folder by --data-dir"
    )
    return name == "mnist"


def _tell_of_thresholds(experiment: Experiment, workdir: Path) -> None:
    """Say so if the weights to begin with have no thresholds; if they cannot be read, loading them says why."""
    if experiment.load_name is None:
        return

    from snstdp_cli.artefacts import Workdir, load_weights

    with contextlib.suppress(SnstdpError):
        weights = load_weights(Workdir(workdir), experiment.load_name, theta_init_mv=experiment.network.theta_init_mv)
        if weights.note is not None:
            print_warning(f"{experiment.load_name}: {weights.note}")
