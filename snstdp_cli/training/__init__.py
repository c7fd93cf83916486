"""Train a network, chunk after chunk, with checkpoints, alarms and a learning curve."""

from snstdp_cli.training.initial import init_weights
from snstdp_cli.training.train import TrainingResult, train_network

__all__ = ["TrainingResult", "init_weights", "train_network"]
