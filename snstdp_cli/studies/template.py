"""A study file to begin with, with every key and its meaning."""

from __future__ import annotations

import textwrap

from snstdp_cli.evaluation import CLASSIFIERS
from snstdp_cli.studies.file import StudyFile

_EXAMPLES = {
    "about": "about: Does SMIN learn faster than SMAX, and how much do seeds matter?",
    "base": """\
base:                          # or a file: base: my_experiment.yaml
  data: bundled                # 5,000 training and 1,000 test images that come with snstdp
  num_examples: 1000
  chunk: 250
  evaluation: {assign_examples: 1000, test_examples: 1000, curve_every: 250, curve_examples: 200}""",
    "vary": """\
vary:
  rule: [smax, smin]
  n_e: [50, 100]
  # rule.eta: {from: 0.001, to: 0.1, steps: 7, scale: log}
  # size:                      # keys that move together
  #   - {n_e: 50, network.w_inh_exc: 17}
  #   - {n_e: 100, network.w_inh_exc: 12}""",
    "seeds": "seeds: 3",
    "skip": "skip: []                       # such as: - {rule: smax, n_e: 100}",
    "cells": "# cells:                       # in place of vary\n#   - {rule: smin, n_e: 100, rule.eta: 0.02}",
    "score_on": "score_on: test",
    "read_outs": f"read_outs: [{', '.join(CLASSIFIERS)}]",
    "search": """\
# search:                      # needs evaluation.validation_examples in the base; see docs/searches.md
#   trials: 30
#   sampler: tpe
#   space:
#     rule.eta: {from: 0.001, to: 0.1, scale: log}
#     rule: [smin, smax]""",
}


def study_template(name: str) -> str:
    """Return a commented study file that runs as it is, in a few minutes."""
    lines = ["# A study of snstdp: many experiments from one file. `snstdp study run FILE` runs and resumes it."]
    for key, field in StudyFile.model_fields.items():
        comment = textwrap.wrap(field.description or key, 100, initial_indent="# ", subsequent_indent="# ")
        lines += ["", *comment, _EXAMPLES.get(key, f"{key}: {name}")]
    return "\n".join(lines) + "\n"
