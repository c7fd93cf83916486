"""Experiments: YAML files and overrides become one frozen, validated `Experiment`."""

from snstdp_cli.config.experiment import (
    THETA_STEPS_MV,
    EvaluationSettings,
    Experiment,
    NetworkSettings,
    PresentationSettings,
    RuleSettings,
)
from snstdp_cli.config.messages import allowed, describe
from snstdp_cli.config.reading import MAX_CONFIG_BYTES, merge, parse_override, read_file, validate
from snstdp_cli.config.values import MAX_EXAMPLES, Name, Number, Whole, check_name

__all__ = [
    "MAX_CONFIG_BYTES",
    "MAX_EXAMPLES",
    "THETA_STEPS_MV",
    "EvaluationSettings",
    "Experiment",
    "Name",
    "NetworkSettings",
    "Number",
    "PresentationSettings",
    "RuleSettings",
    "Whole",
    "allowed",
    "check_name",
    "describe",
    "merge",
    "parse_override",
    "read_file",
    "validate",
]
