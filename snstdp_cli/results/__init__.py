"""What trained networks are: weights, records, recordings and scores; figures, reports and Python look at it."""

from snstdp_cli.results.comparison import (
    SEEDS,
    SeedGroup,
    differing_origins,
    differing_rows,
    group_seeds,
    on_same_data,
)
from snstdp_cli.results.curves import Trend, trend_of
from snstdp_cli.results.finding import Finding, FindingKind, figure_of
from snstdp_cli.results.findings import findings
from snstdp_cli.results.mistakes import Mistake, find_mistakes, recorded_images
from snstdp_cli.results.network import TrainedNetwork, guess_shape
from snstdp_cli.results.online import OnlineCourse, online_course
from snstdp_cli.results.per_image import rows_as_csv, score_rows
from snstdp_cli.results.prediction import Prediction, predict_images
from snstdp_cli.results.refusals import current_recordings
from snstdp_cli.results.scoring import (
    AssignFrom,
    Score,
    compare_scores,
    score_ancestor_pairs,
    score_network,
    score_responses,
)
from snstdp_cli.results.selection import ScoreOn, find_test, recorded_variants
from snstdp_cli.results.stages import Stages, learned_neurons, training_stages

__all__ = [
    "SEEDS",
    "AssignFrom",
    "Finding",
    "FindingKind",
    "Mistake",
    "OnlineCourse",
    "Prediction",
    "Score",
    "ScoreOn",
    "SeedGroup",
    "Stages",
    "TrainedNetwork",
    "Trend",
    "compare_scores",
    "current_recordings",
    "differing_origins",
    "differing_rows",
    "figure_of",
    "find_mistakes",
    "find_test",
    "findings",
    "group_seeds",
    "guess_shape",
    "learned_neurons",
    "on_same_data",
    "online_course",
    "predict_images",
    "recorded_images",
    "recorded_variants",
    "rows_as_csv",
    "score_ancestor_pairs",
    "score_network",
    "score_responses",
    "score_rows",
    "training_stages",
    "trend_of",
]
