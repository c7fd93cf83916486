"""What the commands do, as plain functions: values in, one typed result out, files below a working folder."""

from snstdp_cli.workflows.initial import init_weights
from snstdp_cli.workflows.joint import RunResult, run_experiment
from snstdp_cli.workflows.progress import Preflight, RecordingProgress, Reporter, TrainingProgress
from snstdp_cli.workflows.recording import record_activity
from snstdp_cli.workflows.scoring import (
    Score,
    compare_networks,
    evaluate_activity,
    evaluate_ancestor_pairs,
    load_recording,
)
from snstdp_cli.workflows.training import TrainingResult, train_network

__all__ = [
    "Preflight",
    "RecordingProgress",
    "Reporter",
    "RunResult",
    "Score",
    "TrainingProgress",
    "TrainingResult",
    "compare_networks",
    "evaluate_activity",
    "evaluate_ancestor_pairs",
    "init_weights",
    "load_recording",
    "record_activity",
    "run_experiment",
    "train_network",
]
