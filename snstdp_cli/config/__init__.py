"""Experiments: YAML files, flags and Python values become one frozen, complete `Experiment`."""

from snstdp_cli.config.build import build_experiment, merge, recorded_experiment, with_rule_at_hand
from snstdp_cli.config.experiment import (
    ORDERS,
    STAGED_ORDERS,
    THETA_STEPS_MV,
    Experiment,
    is_data_path,
    is_order_file,
    usual_theta_step_mv,
)
from snstdp_cli.config.facets import (
    GENERATION,
    differences,
    differing_settings,
    fingerprint,
    identifying_settings,
    setting_leaves,
    setting_notes,
    settings_of,
)
from snstdp_cli.config.files import MAX_CONFIG_BYTES, parse_override, read_file
from snstdp_cli.config.rule import RuleSettings
from snstdp_cli.config.schema import json_schema
from snstdp_cli.config.sections import EvaluationSettings, InputSection, NetworkSettings, PresentationSettings, Withheld
from snstdp_cli.config.text import commented_yaml, resolved_rows
from snstdp_cli.fields import MAX_EXAMPLES, Facet, Name, Number, Whole, allowed, check_name, describe

__all__ = [
    "GENERATION",
    "MAX_CONFIG_BYTES",
    "MAX_EXAMPLES",
    "ORDERS",
    "STAGED_ORDERS",
    "THETA_STEPS_MV",
    "EvaluationSettings",
    "Experiment",
    "Facet",
    "InputSection",
    "Name",
    "NetworkSettings",
    "Number",
    "PresentationSettings",
    "RuleSettings",
    "Whole",
    "Withheld",
    "allowed",
    "build_experiment",
    "check_name",
    "commented_yaml",
    "describe",
    "differences",
    "differing_settings",
    "fingerprint",
    "identifying_settings",
    "is_data_path",
    "is_order_file",
    "json_schema",
    "merge",
    "parse_override",
    "read_file",
    "recorded_experiment",
    "resolved_rows",
    "setting_leaves",
    "setting_notes",
    "settings_of",
    "usual_theta_step_mv",
    "with_rule_at_hand",
]
