"""What a study file says under `search:`."""

from __future__ import annotations

from typing import Any, Literal

from snstdp_cli.config import Whole
from snstdp_cli.config.sections import Section
from snstdp_cli.evaluation import Classifier
from snstdp_cli.fields import setting

MAX_TRIALS = 100_000


class SearchSettings(Section):
    """How settings are searched; a trial is scored on validation images, never on test images."""

    space: dict[str, Any] = setting(
        "what is searched, by dotted key or `rule`: a range {from, to, scale: linear or log} or a list of choices; a "
        "rule's parameter is searched where the trial's rule has it",
        (),
    )
    trials: Whole = setting("trials in all, those of earlier sessions counted", (), 30, ge=1, le=MAX_TRIALS)
    sampler: Literal["tpe", "random", "qmc", "cmaes"] = setting(
        "who proposes: tpe (tree-structured Parzen estimator), random, qmc (Sobol points: as even as a grid, for any "
        "number of trials), cmaes (covariance matrix adaptation; ranges only)",
        (),
        "tpe",
    )
    parallel: Whole | None = setting(
        "trials under way at once, at most, over all processes and machines that work on the search; by default one a "
        "worker",
        (),
        None,
        ge=1,
        le=10_000,
    )
    seed: Whole = setting("seed of the proposals; that of the network is the study's first", (), 0, ge=0, lt=2**31)
    read_out: Classifier = setting("read-out whose accuracy is to be high", (), "average")
    pruner: Literal["median", "halving", "none"] = setting(
        "which trials end early, by their learning curves (evaluation.curve_every): median (below half of the earlier "
        "ones), halving (the better third of those at the same point goes on), none",
        (),
        "median",
    )
    try_base: bool = setting("whether the settings of the base are the first trial", (), True, strict=True)
