"""Break each term of each learning rule and of the network once and see whether a test notices.

Every mutation is a replacement of text in a temporary copy of the package. Only the fast tests that know the broken
file are run, none of which compiles a network, each in a process that is forked after the libraries were imported, and
no further than to the first that fails. A test that fails without any mutation too has noticed nothing: it is named,
and what it noticed is tried again without it. Exit code 1 if a mutation survives, 2 if one no longer applies.

    python tools/mutate.py [--jobs 2] [--only network/] [--part 1/4]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: After so many seconds of computing a mutation counts as noticed: it made something endless.
_ENDLESS_S = 300
#: Beginning of a file's path -> tests that know it, the likeliest and fastest first.
TESTS = {
    "config/experiment.py": ("network/test_presentation",),
    "rules/": ("rules/test_rules", "rules/test_closures", "rules/test_rules_in_brian", "engines/test_engines"),
    "engines/base.py": (
        *("engines/test_engines_base", "engines/test_engines", "network/test_presentation", "network/test_neurons"),
    ),
    "engines/generated.py": ("engines/test_generated",),
    "network/arithmetic.py": ("network/test_arithmetic",),
    "network/builder.py": (
        *("rules/test_rules_in_brian", "engines/test_engines", "network/test_builder", "network/test_inhibition"),
        *("network/test_neurons", "network/test_arithmetic"),
    ),
    "network/inhibition.py": ("network/test_inhibition", "engines/test_engines", "network/test_reference"),
    "network/integration.py": (
        *("network/test_integration", "network/test_builder", "engines/test_engines", "network/test_neurons"),
    ),
    "network/names.py": ("network/test_names", "engines/test_engines_base", "engines/test_engines"),
    "network/fixed_": ("network/test_fixed_point",),
    "network/neurons.py": (
        *("network/test_integration", "network/test_names", "rules/test_rules_in_brian", "network/test_neurons"),
        "engines/test_engines",
    ),
    "network/presentation.py": ("network/test_presentation", "engines/test_engines"),
    "network/protocol.py": (
        *("network/test_protocol", "network/test_presentation", "rules/test_rules_in_brian", "network/test_rest"),
        "engines/test_engines",
    ),
    "network/randomness.py": ("network/test_randomness",),
    "network/rest.py": ("network/test_rest", "engines/test_engines"),
    "network/single.py": ("network/test_arithmetic",),
    "network/rounding.py": ("network/test_rounding",),
    "network/numbers.py": ("network/test_numbers", "network/test_integration", "network/test_rest"),
    "network/wiring.py": ("network/test_wiring", "network/test_builder", "engines/test_engines"),
}
SELF_NORMALIZING, TRIPLET = "rules/self_normalizing.py", "rules/triplet.py"
CLOSURES, FORMULAS = "rules/closures.py", "rules/formulas.py"
BASE, BUILDER, INHIBITION = "engines/base.py", "network/builder.py", "network/inhibition.py"
INTEGRATION, NAMES, NEURONS = "network/integration.py", "network/names.py", "network/neurons.py"
PRESENTATION, PROTOCOL = "network/presentation.py", "network/protocol.py"
RANDOMNESS, WIRING = "network/randomness.py", "network/wiring.py"
GENERATED, REST, NUMBERS = "engines/generated.py", "network/rest.py", "network/numbers.py"
ROUNDING, FIXED_POINT, FIXED_STEP = "network/rounding.py", "network/fixed_point.py", "network/fixed_step.py"
ARITHMETIC, SINGLE = "network/arithmetic.py", "network/single.py"
EXPERIMENT = "config/experiment.py"
Mutation = tuple[str, str, str, int]
#: (file, text that occurs there, replacement, number of the occurrence from 0)
MUTATIONS: list[Mutation] = [
    # The window of the trace
    (SELF_NORMALIZING, "math.floor(parameters.tau_pre_ms", "1 + math.floor(parameters.tau_pre_ms", 0),
    (SELF_NORMALIZING, "math.log(1 / parameters.x_tar) / dt_ms", "math.log(1 / parameters.x_tar)", 0),
    (SELF_NORMALIZING, "arrived <= window", "arrived < window", 0),
    (SELF_NORMALIZING, "+ 1e-9)", "- 1e-9)", 0),
    # Constants and default closures
    (SELF_NORMALIZING, "parameters.a_tar * n", "parameters.a_tar * (n - 1)", 0),
    (SELF_NORMALIZING, "else 1.0", "else 0.9", 0),
    (SELF_NORMALIZING, '_SMAX_CLOSURES = ("L_tar / L_0", "0")', '_SMAX_CLOSURES = ("L_tar / n", "0")', 0),
    (SELF_NORMALIZING, '_SMAX_CLOSURES = ("L_tar / L_0", "0")', '_SMAX_CLOSURES = ("L_tar / L_0", "1")', 0),
    (SELF_NORMALIZING, '"share * L_tar / L_0"', '"L_tar / L_0"', 0),
    (SELF_NORMALIZING, '"-(1 - share) * L_tar', '"(1 - share) * L_tar', 0),
    (SELF_NORMALIZING, '"-(1 - share) * L_tar', '"-share * L_tar', 0),
    (SELF_NORMALIZING, 'L_tar / (n - L_0)")', 'L_tar / L_0")', 0),
    (SELF_NORMALIZING, "if share == 1 and", "if share == 2 and", 0),
    (SELF_NORMALIZING, "and s_min == _SMIN_CLOSURES[1]", "", 0),
    (SELF_NORMALIZING, "s_max, s_min = parameters.s_max, parameters.s_min", "s_max, s_min = _SMIN_CLOSURES", 0),
    # Counting
    (SELF_NORMALIZING, "L_0_post += active", "L_0_post += 1", 0),
    (SELF_NORMALIZING, r'\nL_0_post += active", "learn"', r'", "learn"', 0),
    (SELF_NORMALIZING, r"{reset}\nL_0 = 0", "{reset}", 0),
    # Instantaneous scaling
    (SELF_NORMALIZING, "w += usable * {rate}", "w += {rate}", 0),
    (SELF_NORMALIZING, "usable * {rate} * (active", "usable * (active", 0),
    (SELF_NORMALIZING, "(active * s_max_now + (1", "(s_max_now + (1", 0),
    (SELF_NORMALIZING, "+ (1 - active) * s_min_now - w)", "+ s_min_now - w)", 0),
    (SELF_NORMALIZING, "+ (1 - active) * s_min_now - w)", "- w)", 0),
    (SELF_NORMALIZING, "(1 - active) * s_min_now - w)", "(1 - active) * s_min_now)", 0),
    (SELF_NORMALIZING, 'f"{remember}\\n{_KEEP}"', '""', 0),
    (SELF_NORMALIZING, '{name: f"{name}_post" for', "{name: name for", 0),
    # Lagged scaling
    (SELF_NORMALIZING, "w += scaled_post * {rate}", "w += {rate}", 0),
    (SELF_NORMALIZING, "scaled_post * {rate} * (", "scaled_post * (", 0),
    (SELF_NORMALIZING, "active * s_max_post", "s_max_post", 0),
    (SELF_NORMALIZING, "(1 - active) * s_min_post - w", "(1 - active) * s_min_post", 0),
    (SELF_NORMALIZING, "+ (1 - active) * s_min_post", "", 0),
    (SELF_NORMALIZING, "s_max = usable * s_max_now + (1 - usable) * s_max", "s_max = usable * s_max_now", 0),
    (SELF_NORMALIZING, "s_max = usable * s_max_now", "s_max = s_max_now", 0),
    (SELF_NORMALIZING, "s_min = usable * s_min_now + (1 - usable) * s_min", "s_min = usable * s_min_now", 0),
    (SELF_NORMALIZING, "s_min = usable * s_min_now", "s_min = s_min_now", 0),
    (SELF_NORMALIZING, "clip(scaled + usable, 0, 1)", "1", 0),
    (SELF_NORMALIZING, "clip(scaled + usable, 0, 1)", "usable", 0),
    # Closures
    (CLOSURES, "np.where(good, new_high, high)", "new_high", 0),
    (CLOSURES, "good = good & good_too", "good = good", 0),
    (CLOSURES, "if self.use_old_values else 1):", "if False else 1):", 0),
    (CLOSURES, "if self.use_old_values:\n            return -math.inf", "if False:\n            return -math.inf", 0),
    (CLOSURES, "min(high[usable].min(), low[usable].min())", "low[usable].min()", 0),
    (CLOSURES, "max(high[usable].max(), low[usable].max())", "high[usable].max()", 0),
    (CLOSURES, "self.l_tar / _NEAR <= norms.max()", "0 <= norms.max()", 0),
    (CLOSURES, "<= self.l_tar * _NEAR", "<= self.l_tar * 3", 0),
    (CLOSURES, "(self.n - self._counts) * np.abs(low)", "0", 0),
    (CLOSURES, "0 < len(self.intervals) <= _MAX_INTERVALS", "0 < len(self.intervals)", 0),
    (CLOSURES, "self.use_old_values or not 0 <", "not 0 <", 0),
    (CLOSURES, ">= usable_from_{number} and", ">= 0 and", 0),
    (CLOSURES, "<= usable_to_{number})", "<= n_synapses)", 0),
    (CLOSURES, "int(end) - 1)", "int(end))", 0),
    (CLOSURES, "usable * {count} + (1 - usable) * usable_from_1", "{count}", 0),
    (CLOSURES, '"n": float(n), "share": share', '"n": float(n), "share": 1.0', 0),
    (CLOSURES, "if not closures.have_values:", "if False:", 0),
    # Formulas
    (FORMULAS, 'do("-", 0.0, visit(operand))', "visit(operand)", 0),
    (FORMULAS, "range(abs(exponent) - 1)", "range(abs(exponent))", 0),
    (FORMULAS, "if exponent < 0 else product", "if False else product", 0),
    (FORMULAS, "1.0 if exponent == 0 else base", "base", 0),
    (FORMULAS, "np.abs(rest[0]) >= SMALLEST", "np.abs(rest[0]) >= 0", 0),
    (FORMULAS, '"clip": lambda: rest[0] <= rest[1]', '"clip": lambda: True', 0),
    (FORMULAS, "np.abs(value) <= LARGEST)", "True)", 0),
    (FORMULAS, ">= {SMALLEST!r})", ">= 0)", 0),
    (FORMULAS, "({allowed} * {operands[1]} + (1 - {allowed}))", "{operands[1]}", 0),
    (FORMULAS, "= int({operands[0]} >= 0)", "= 1", 0),
    (FORMULAS, 'f"{allowed} * {operands[0]}"', "operands[0]", 0),
    (FORMULAS, "= int({operands[1]} <= {operands[2]})", "= 1", 0),
    (FORMULAS, "int(abs({name}_raw) <= {LARGEST!r})", "1", 0),
    (FORMULAS, "{name} = {name}_fits * {name}_raw", "{name} = {name}_raw", 0),
    (FORMULAS, "flags += [flag] if flag else []", "pass", 0),
    # Triplet
    (TRIPLET, "w - {nu_pre} * post1_post", "w + {nu_pre} * post1_post", 0),
    (TRIPLET, "w - {nu_pre} * post1_post", "w - {nu_pre}", 0),
    (TRIPLET, "w - {nu_pre} * post1_post", "w - {nu_pre} * post2_post", 0),
    (TRIPLET, "post1_post, 0, w_max", "post1_post, -w_max, w_max", 0),
    (TRIPLET, "w + {nu_post} * pre1 * post2_post", "w - {nu_post} * pre1 * post2_post", 0),
    (TRIPLET, "{nu_post} * pre1 * post2_post", "{nu_post} * post2_post", 0),
    (TRIPLET, "{nu_post} * pre1 * post2_post", "{nu_post} * pre1", 0),
    (TRIPLET, "{nu_post} * pre1 * post2_post", "{nu_post} * pre1 * post1_post", 0),
    (TRIPLET, "post2_post, 0, w_max", "post2_post, 0, 2 * w_max", 0),
    (TRIPLET, "clip(arrived - t_in_timesteps, forgotten, 0)", "clip(t_in_timesteps - arrived, 0, -forgotten)", 0),
    (TRIPLET, "context.dt_ms / parameters.tau_pre_ms", "1 / parameters.tau_pre_ms", 0),
    (TRIPLET, '"post1": parameters.tau_post1_ms', '"post1": parameters.tau_post2_ms', 0),
    (TRIPLET, '"post2": parameters.tau_post2_ms', '"post2": parameters.tau_post1_ms', 0),
    (TRIPLET, "post1 = 1\\npost2 = 1", "post2 = 1", 0),
    (TRIPLET, "post1 = 1\\npost2 = 1", "post1 = 1", 0),
    (TRIPLET, "normalize_to=total", "normalize_to=None", 0),
    (TRIPLET, "parameters.a_tar * context.n_input", "78.0", 0),
    # What the network does for a rule
    (NEURONS, "\\narrived = t_in_timesteps", "", 0),
    (PROTOCOL, '{"begin": "tick == 0"}', '{"begin": "tick == 1"}', 0),
    (BUILDER, '"clear": "w_sum_post = 0"', '"clear": "w_sum_post += 0"', 0),
    (NEURONS, "\\ntheta += theta_step\\n{plasticity.reset}", "\\n{plasticity.reset}", 0),
    (NEURONS, "w_sum_post += w", "w_sum_post += abs(w) + 0.1", 0),
    (NEURONS, "w_sum_post + int(w_sum_post == 0)", "w_sum_post", 0),
    (BUILDER, "start=1)", "start=-1)", 0),
    (BUILDER, "synapses.sum_weights.order + 1", "synapses.sum_weights.order - 1", 0),
    # Constants and equations of the neurons
    (NEURONS, "v_rest_mv: float = -65.0", "v_rest_mv: float = -64.0", 0),
    (NEURONS, "v_offset_mv: float = -72.0", "v_offset_mv: float = -71.0", 0),
    (NEURONS, "tau_gi_ms: float = 2.0", "tau_gi_ms: float = 1.0", 0),
    (NEURONS, "refractory_ms: float = 2.0", "refractory_ms: float = 5.0", 0),
    (NEURONS, "E_exc_mv: float = 0.0", "E_exc_mv: float = 1.0", 1),
    (NEURONS, "+ gi * (E_inh - v)", "- gi * (E_inh - v)", 0),
    (NEURONS, "+ gi * (E_inh - v)", "+ ge * (E_inh - v)", 0),
    (NEURONS, 'INH_CURRENT = "(v_rest - v)', 'INH_CURRENT = "-v', 0),
    (NEURONS, "v > theta + v_offset{_beyond(form)} and cooldown == 0", "v > theta + v_offset{_beyond(form)}", 0),
    (NEURONS, "v > theta + v_offset", "v > v_offset + 20 * mV", 0),
    (NEURONS, "v > v_threshold{_beyond(form)} and cooldown == 0", "v > v_threshold{_beyond(form)}", 0),
    (NEURONS, '"v = v_reset\\ncooldown = refractory_steps"', '"v = v_rest\\ncooldown = refractory_steps"', 1),
    (NEURONS, "max(1, round(refractory_ms / dt_ms))", "max(1, round(refractory_ms / dt_ms) - 1)", 0),
    (NEURONS, "max(1, round(refractory_ms / dt_ms))", "round(refractory_ms / dt_ms)", 0),
    (NEURONS, '"theta_step_mv": theta_step_mv(experiment)', '"theta_step_mv": 0.05', 0),
    # The integrator
    (INTEGRATION, "cooldown = (cooldown - 1)", "cooldown = (cooldown - 2)", 0),
    (INTEGRATION, "free = int(cooldown == 0)", "free = 1", 0),
    (INTEGRATION, "1 - dt_ms / tau_ms if", "1 - dt_ms / (tau_ms + dt_ms) if", 0),
    (INTEGRATION, "else math.exp(-dt_ms / tau_ms)", "else 1 - dt_ms / tau_ms", 0),
    (INTEGRATION, "        return 1.0\n", "        return 1 - dt_ms / tau_ms / 2\n", 0),
    (INTEGRATION, "/ dt_ms * tau_ms", "/ dt_ms", 0),
    (INTEGRATION, "(1 - kept_share(dt_ms, tau_ms, integration)) / dt_ms * tau_ms", "1.0", 0),
    (INTEGRATION, "> {NEGLIGIBLE!r})", "> 0)", 0),
    (INTEGRATION, "abs({name})", "{name}", 0),
    (INTEGRATION, "y * (0.5 + y", "y * (0.51 + y", 0),
    (INTEGRATION, "{1 / 120!r}", "{1 / 100!r}", 0),
    (INTEGRATION, "e2 = e1 * e1", "e2 = e1", 0),
    (INTEGRATION, "e4 = e2 * e2", "e4 = e2", 0),
    (INTEGRATION, "phi = p * e1", "phi = p", 0),
    (INTEGRATION, " * (0.5 + 0.5 * e4)", "", 0),
    (INTEGRATION, "step = dt_ms / cell.tau_ms\n", "step = dt_ms / 100\n", 0),
    (INTEGRATION, "y = (1 + mean_ge + mean_gi)", "y = (1 + mean_ge)", 0),
    (INTEGRATION, "y = (1 + mean_ge", "y = (mean_ge", 0),
    (INTEGRATION, "{step / 8!r}", "{step / 4!r}", 0),
    (INTEGRATION, "slope = {_with_means(current)}", "slope = {current}", 0),
    (INTEGRATION, "{step!r} * phi * slope", "{step!r} * slope", 0),
    (INTEGRATION, 'decay("gi", kept_share(dt_ms, cell.tau_gi_ms', 'decay("gi", kept_share(dt_ms, cell.tau_ge_ms', 0),
    (NUMBERS, "math.exp(-duration_ms / tau_ms)", "1 - duration_ms / tau_ms", 0),
    (NUMBERS, "theta_step_mv(experiment) * _VOLT_PER_MV", "theta_step_mv(experiment)", 0),
    (NUMBERS, "plasticity, experiment.dt)", "plasticity, 1.0)", 0),
    (INTEGRATION, "free * {dt_ms / cell.tau_ms!r}", "free * {dt_ms / 10!r}", 0),
    (INTEGRATION, "({_with_means(current)})", "({current})", 0),
    (INTEGRATION, 'decay("ge", kept_share(dt_ms, cell.tau_ge_ms', 'decay("ge", kept_share(dt_ms, cell.tau_ms', 1),
    # Inhibition
    (INHIBITION, "ge_post += w_exc_inh", "ge_post = w_exc_inh", 0),
    (INHIBITION, "gi_post -= w_inh_exc", "gi_post -= 0 * w_inh_exc", 0),
    (INHIBITION, "w_inh_exc * count_pre", "w_inh_exc", 0),
    (INHIBITION, '"inhibit", "count = 0"', '"inhibit", "count = 1"', 0),
    (INHIBITION, "count_post += 1", "count_post = 1", 0),
    (INHIBITION, '"after_synapses", 1\n', '"after_synapses", 3\n', 0),
    (INHIBITION, 'when="after_synapses", order=0)', 'when="before_synapses", order=0)', 0),
    (INHIBITION, "~np.eye(experiment.n_e, dtype=bool)", "np.ones((experiment.n_e,) * 2, dtype=bool)", 0),
    (INHIBITION, "if wiring.inhibition_delay_steps is not None:", "if False:", 0),
    (INHIBITION, "inhibition_delay_steps[pre, post]", "inhibition_delay_steps[post, pre]", 0),
    (INHIBITION, 'excite.connect(j="i")', "excite.connect()", 0),
    (INHIBITION, 'own.connect(j="i")', "own.connect()", 0),
    # The rest of a frozen network, delays
    (REST, "v_post = v_rest\\nge_post = 0\\ngi_post = 0", "v_post = v_rest\\nge_post = 0", 0),
    (REST, "v_post = v_rest\\nge_post = 0\\ncooldown", "ge_post = 0\\ncooldown", 0),
    (REST, "gi_post = 0\\ncooldown_post = 0", "gi_post = 0", 0),
    (REST, 'rest.rest.when = "after_resets"', 'rest.rest.when = "before_synapses"', 0),
    (REST, "timestep()[0] += int(np.sum(steps))", "pass", 0),
    (NUMBERS, "experiment.skipped_steps * experiment.dt", "experiment.skipped_steps", 0),
    (NUMBERS, '{"theta": experiment.network.theta_tau_ms, **plasticity.traces}', "dict(plasticity.traces)", 0),
    (REST, '"rest",\n            exc', '"show",\n            exc', 0),
    (BUILDER, "if wiring.delay_steps.any():", "if False:", 0),
    # Single precision
    (BUILDER, "reset=arithmetic.statements(model.reset)", "reset=model.reset", 0),
    (BUILDER, "step = arithmetic.statements(model.step)", "step = model.step", 0),
    (BUILDER, "on_post=arithmetic.pathways(model.on_post)", "on_post=dict(model.on_post)", 0),
    (ARITHMETIC, "- INTEGERS - DOUBLES", "- INTEGERS", 0),
    (SINGLE, 'DOUBLES = frozenset({"theta", ', "DOUBLES = frozenset({", 0),
    (SINGLE, "ast.Constant(1), product)", "ast.Constant(1), one)", 0),
    (SINGLE, 'return _call_of("single", node), "single"', 'return node, "single"', 0),
    (SINGLE, '"double" in kinds and not compares', '"double" in kinds', 0),
    (SINGLE, "abs(number) < _EXACT", "abs(number) <= _EXACT + 1", 0),
    (BUILDER, "objects += begin_from_rest(arithmetic, controller, exc, inh, clock)", "pass", 0),
    (WIRING, "argsort(steps, axis=1", "argsort(-steps, axis=1", 0),
    (WIRING, "delay_steps=steps.reshape(-1)[order]", "delay_steps=steps.reshape(-1)", 0),
    (WIRING, "(random.random((n_input, experiment.n_e)) + 0.01)", "random.random((n_input, experiment.n_e))", 0),
    (WIRING, "images[here] = permutation[images[here]]", "images[here] = permutation[: here.sum()]", 0),
    (WIRING, "np.rint(drawn / dt)", "np.floor(drawn / dt)", 0),
    (NAMES, '(EXC, "gi"), (EXC, "theta")', '(EXC, "theta")', 0),
    (NAMES, "texts += [model.equations, model.step,", "texts += [model.equations,", 0),
    (NAMES, "normalize_to=1.0", "normalize_to=None", 0),
    # The protocol: show, rest, try again
    (PROTOCOL, '"show": "tick == 0", "hide": "tick == stimulus_steps"', '"show": "tick == 0", "hide": "tick == 1"', 0),
    (PROTOCOL, "tick >= presentation_steps)", "tick > presentation_steps)", 0),
    (PROTOCOL, "settled = int(spikes >= min_spikes or", "settled = int(spikes > min_spikes or", 0),
    (PROTOCOL, "attempt + 1 >= max_attempts)", "attempt >= max_attempts)", 0),
    (PROTOCOL, "example = example + over * settled", "example = example + over", 0),
    (PROTOCOL, "attempt = (1 - over) * attempt + over * (1 - settled)", "attempt = (1 - over) * attempt + over", 0),
    (PROTOCOL, "spikes = (1 - over) * spikes", "spikes = (1 - over * settled) * spikes", 0),
    (PROTOCOL, "last = int(tick == last_tick", "last = int(tick == last_tick - 1", 0),
    (PROTOCOL, "== last_tick and (spikes >= min_spikes or", "== last_tick and (spikes > min_spikes or", 0),
    (PROTOCOL, "- 1 - experiment.skipped_steps", "- 1", 0),
    (PROTOCOL, '{"rest": "tick == last_tick"}', '{"rest": "tick == last_tick - 1"}', 0),
    (PROTOCOL, "tick = tick + skip_steps", "tick = tick + 0 * skip_steps", 0),
    (PROTOCOL, "int(example + 1 >= wanted)", "int(example >= wanted)", 0),
    (PROTOCOL, "draw_key(seed, stream,", "draw_key(seed, 1,", 0),
    (PROTOCOL, "first + example, attempt", "example, attempt", 0),
    (PROTOCOL, "first + example, attempt)", "first + example, 0)", 0),
    (PROTOCOL, "int(tick_post > 0 and tick_post <=", "int(tick_post <=", 0),
    (PROTOCOL, "tick_post <= stimulus_steps)", "tick_post <= 10 * stimulus_steps)", 0),
    (PROTOCOL, "(intensity + attempt_pre)", "intensity", 0),
    (EXPERIMENT, "/ 1000 / 8", "/ 1000 / 4", 0),
    (PROTOCOL, "draw_gap(key, i, nth,", "draw_gap(key, 0, nth,", 0),
    (PROTOCOL, "draw_gap(key, i, nth,", "draw_gap(key, i, 0,", 0),
    (PROTOCOL, "draw_gap(key_pre, j, 0,", "draw_gap(key_pre, 0, 0,", 0),
    (PROTOCOL, "draw_gap(key_pre, j, 0,", "draw_gap(key_pre, j, 1,", 0),
    (PROTOCOL, "nth_post = 0", "nth_post += 0", 0),
    (PROTOCOL, "nth += 1", "nth += 2", 0),
    (PROTOCOL, '"hide": f"next_step_post = {NO_STEP}"', '"hide": "next_step_post += 0"', 0),
    (PROTOCOL, "NO_STEP = -1", "NO_STEP = 150", 0),
    (PROTOCOL, "experiment.stimulus_steps + 1}", "experiment.stimulus_steps}", 0),
    (PRESENTATION, 'show.hide.when = "after_resets"', "pass", 0),
    (PRESENTATION, "inputs.next_step = protocol.NO_STEP", "pass", 0),
    (PRESENTATION, "if np.any(done):", "if False:", 0),
    # The hash
    (RANDOMNESS, "0xBF58476D1CE4E5B9", "0xBF58476D1CE4E5BB", 0),
    (RANDOMNESS, "(z >> np.uint64(30))", "(z >> np.uint64(29))", 0),
    (RANDOMNESS, "z ^ (z >> np.uint64(31))", "z", 0),
    (RANDOMNESS, "(_unsigned(seed) << shift) + _unsigned(stream)", "_unsigned(seed) + _unsigned(stream)", 0),
    (RANDOMNESS, "(_unsigned(example) << shift) + _unsigned(attempt)", "_unsigned(example) + _unsigned(attempt)", 0),
    (RANDOMNESS, "_mix64(a ^ _mix64(b + np", "_mix64(a ^ (b + np", 0),
    (RANDOMNESS, "+ _unsigned(i) + np.uint64(1)", "+ _unsigned(i)", 0),
    (RANDOMNESS, "(_unsigned(nth) << np.uint64(32))", "_unsigned(nth)", 0),
    (RANDOMNESS, ".astype(np.uint64) << np.uint64(12)", ".astype(np.uint64) << np.uint64(11)", 0),
    (RANDOMNESS, "(z ^ (z >> 27)) * 0x", "(z ^ (z >> 28)) * 0x", 0),
    (RANDOMNESS, "((unsigned long long)(unsigned)seed << 32)", "((unsigned long long)(unsigned)seed << 31)", 0),
    (RANDOMNESS, "((unsigned long long)(unsigned)example << 32)", "((unsigned long long)(unsigned)example << 31)", 0),
    (RANDOMNESS, "((unsigned long long)(unsigned)nth << 32) + (unsigned)i + 1", "(unsigned)(nth + i + 1)", 0),
    # The gaps
    (RANDOMNESS, "range(13, 0, -2)", "range(7, 0, -2)", 0),
    (RANDOMNESS, "2 / odd", "2 / (odd + 1)", 0),
    (RANDOMNESS, "m < _SQRT_HALF", "m < 0.75", 0),
    (RANDOMNESS, "(m < _SQRT_HALF)", "(m < 0.0)", 0),
    (RANDOMNESS, "(e - low) * _LN2", "e * _LN2", 0),
    (RANDOMNESS, "certain = chance >= 1", "certain = chance > 1", 0),
    (RANDOMNESS, "np.where(never, _ENDLESS, ", "np.where(never, 1.0, ", 0),
    (RANDOMNESS, "np.minimum(1 - natural_log", "np.minimum(0 - natural_log", 0),
    (RANDOMNESS, "np.minimum(1 - natural_log", "np.minimum(2 - natural_log", 0),
    (RANDOMNESS, "const int low = m < {_SQRT_HALF!r}", "const int low = m < 0.75", 0),
    (RANDOMNESS, "return gap < longest ? (int)gap : longest", "return (int)gap", 0),
    (RANDOMNESS, "if (chance >= 1) return 0.0;", "if (chance > 1) return 0.0;", 0),
    (RANDOMNESS, "rate > 0 ? 1 / rate : {_ENDLESS!r}", "1 / rate", 0),
    # Loops of the generated programs
    (GENERATED, '.replace("&&", "&")', "", 0),
    (GENERATED, "_fire |= (uint32_t)({condition})", "_fire = (uint32_t)({condition})", 0),
    (GENERATED, "size_t _idx = _block; _idx", "size_t _idx = _block + 1; _idx", 0),
    (GENERATED, "== _due.length - 1)", "== _due.length)", 0),
    (GENERATED, "_first = _due.first, _last = _first + _due.length - 1", "_first = 0, _last = _due.length - 1", 0),
    (GENERATED, "_due.list[_k]", "_due.list[0]", 0),
    (GENERATED, "_target + (_idx - _first)", "_target + _idx", 0),
    # Weights of few bits
    (ROUNDING, "* grid_codes + {dither}", "* grid_codes", 0),
    (ROUNDING, "(w - grid_low)", "w", 0),
    (ROUNDING, "grid_low + grid_step", "grid_step", 0),
    (ROUNDING, "0, grid_top)", "0, grid_top + 1)", 0),
    (ROUNDING, "clip((w - grid_low) * grid_codes + {dither}, 0,", "clip((w - grid_low) * grid_codes + {dither}, 1,", 0),
    (ROUNDING, "{PATHWAYS} + {{pathway}}", "{PATHWAYS}", 0),
    (ROUNDING, "(t_in_timesteps - show_step_pre)", "t_in_timesteps", 0),
    (ROUNDING, "{{pathway}}, i, j)", "{{pathway}}, i, i)", 0),
    (ROUNDING, "show_key_post = key_pre", "show_key_post = 0", 0),
    (ROUNDING, "if name not in numbers:", "if name in numbers:", 0),
    (ROUNDING, "name: 2 + k for", "name: 1 + k for", 0),
    (ROUNDING, 'int(name == "rescale")', "0", 0),
    (ROUNDING, "grid.rounding not in DITHERS", "grid.rounding in DITHERS", 0),
    (ROUNDING, "draw_key(seed, 0, 0, 0)", "draw_key(0, 0, 0, 0)", 0),
    (ROUNDING, "inputs.ravel(), neurons.ravel()", "neurons.ravel(), inputs.ravel()", 0),
    (ROUNDING, "grid.codes(weights, dither)", "grid.codes(weights, 0.5)", 0),
    # A state in fixed point
    (FIXED_POINT, "math.floor(mantissa * _ONE + 0.5)", "math.floor(mantissa * _ONE)", 0),
    (FIXED_POINT, "-(1 << (self.bits - 1))", "1 - (1 << (self.bits - 1))", 0),
    (FIXED_POINT, "(1 << (self.bits - 1)) - 1", "(1 << (self.bits - 1)) - 2", 0),
    (
        FIXED_POINT,
        "math.floor(math.ldexp(value, self.fraction) + 0.5)",
        "math.floor(math.ldexp(value, self.fraction))",
        0,
    ),
    (FIXED_POINT, "make_share(step / 8 * _ONE)", "make_share(step / 4 * _ONE)", 0),
    (FIXED_POINT, "for share in (kept_share, mean_share)", "for share in (mean_share, kept_share)", 0),
    (FIXED_STEP, "({weight} * state_codes + 0.5)", "({weight} * state_codes)", 0),
    (FIXED_STEP, "* {share} + 0.5) * code_volt", "* {share}) * code_volt", 0),
    (
        FIXED_STEP,
        "round_down(abs({x}) * state_codes * {share})",
        "round_down(abs({x}) * state_codes * {share} + 0.5)",
        0,
    ),
    (FIXED_STEP, "(int({x} > 0) - int({x} < 0))", "int({x} > 0)", 0),
    (FIXED_STEP, "/ volt * volt_codes + 0.5)", "/ volt * volt_codes + 1)", 0),
    (FIXED_STEP, "_SIXTH = 10923", "_SIXTH = 10922", 0),
    (FIXED_STEP, "{_ONE // 2} - round_down(y", "{_ONE // 2} + round_down(y", 0),
    (
        FIXED_STEP,
        "e1 = {_ONE} - round_down(y * p * {1 / _ONE!r} + 0.5)",
        "e1 = {_ONE} - round_down(y * p * {1 / _ONE!r})",
        0,
    ),
    (FIXED_STEP, "e2 = round_down(e1 * e1 * {1 / _ONE!r} + 0.5)", "e2 = round_down(e1 * e1 * {1 / _ONE!r})", 0),
    (FIXED_STEP, "e4 = round_down(e2 * e2 * {1 / _ONE!r} + 0.5)", "e4 = round_down(e2 * e1 * {1 / _ONE!r} + 0.5)", 0),
    (FIXED_STEP, "({_ONE} + e1) * {0.5 / _ONE!r} + 0.5)", "({_ONE} + e1) * {0.5 / _ONE!r})", 0),
    (FIXED_STEP, "phi * ({_ONE} + e2)", "phi * ({_ONE} + e1)", 0),
    (FIXED_STEP, "phi * ({_ONE} + e4)", "phi * ({_ONE} + e2)", 0),
    (FIXED_STEP, '*_conductance("gi", shares.mean_gi)', '*_conductance("gi", shares.mean_ge)', 0),
    (FIXED_STEP, 'decayed("ge", "", repr(shares.keep_ge.value))', 'decayed("ge", "", repr(shares.mean_ge.value))', 0),
    (FIXED_STEP, 'decayed("ge", "", repr(shares.keep_ge.value))', 'decayed("ge", "", repr(shares.mean_ge.value))', 1),
    (FIXED_STEP, "clip({name}, state_least, state_most)", "{name}", 0),
    (FIXED_STEP, "* state_codes * {mean.value!r} + 0.5)", "* state_codes * {mean.value!r})", 0),
    (FIXED_STEP, "({_current_in_codes(current)} + 0.5)", "({_current_in_codes(current)})", 0),
    (FIXED_STEP, "(1 + mean_ge + mean_gi)", "(1 + mean_ge - mean_gi)", 0),
    (FIXED_STEP, "{y.value!r} + 0.5), 0, {_ONE})", "{y.value!r} + 0.5), 0, {2 * _ONE})", 0),
    (FIXED_STEP, "phi * {membrane.multiplier / _ONE!r} + 0.5)", "phi * {membrane.multiplier / _ONE!r})", 0),
    (FIXED_STEP, "+ free * round_down(slope", "+ round_down(slope", 0),
    (FIXED_STEP, "clip({moved}, code_least, code_most)", "({moved})", 0),
    # What the engines share
    (BASE, "TEST_RECORDING = 2", "TEST_RECORDING = 1", 0),
    (BASE, "CURVE_RECORDING = 4", "CURVE_RECORDING = 3", 0),
    (BASE, "experiment.seed if experiment.noise_seed is None else experiment.noise_seed", "experiment.seed", 0),
    (BASE, '"stream": int(chunk.stream)', '"stream": 1', 0),
    (BASE, '"first": chunk.first', '"first": 0', 0),
    (BASE, "EXCITATORY.v_start_mv", "EXCITATORY.v_rest_mv", 0),
    (BASE, "INHIBITORY.v_start_mv", "INHIBITORY.v_rest_mv", 0),
    (BASE, "np.full(n_e, value) for", "np.zeros(n_e) for", 0),
    (BASE, ".astype(np.int64) - steps", ".astype(np.int64)", 0),
    (BASE, "np.maximum(arrived, NEVER)", "arrived", 0),
    (BASE, "accepted[which] & (tick > 0)", "(tick > 0)", 0),
    (BASE, "& (tick > 0) &", "&", 0),
    (BASE, "& (tick <= experiment.stimulus_steps)", "", 0),
    (BASE, 'side="right") - 1', 'side="right")', 0),
    (BASE, "counts.sum(axis=1) < experiment", "counts.sum(axis=1) <= experiment", 0),
]


def copy_project(folder: Path) -> None:
    """Copy the package and its tests."""
    for name in ("snstdp_cli", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", folder)


def tests_of(names: Iterable[str]) -> list[str]:
    """Return the paths of the tests that know these files, each once."""
    known = [test for name in names for start, tests in TESTS.items() if name.startswith(start) for test in tests]
    return [f"tests/{test}.py" for test in dict.fromkeys(known)]


def import_libraries() -> None:
    """Import what all tests need, but nothing of the package, so that a forked process starts with it."""
    sys.path.insert(0, str(ROOT))
    from snstdp_cli.brian_import import prepare_brian

    prepare_brian()
    for name in [name for name in sys.modules if name.partition(".")[0] == "snstdp_cli"]:
        del sys.modules[name]
    sys.path.remove(str(ROOT))
    import hypothesis
    import hypothesis.extra.numpy
    import pydantic
    import pytest  # noqa: F401
    import typer.testing  # noqa: F401

    assert pydantic.VERSION
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # nobody reads the smallest example
    hypothesis.settings.register_profile(
        "mutations", derandomize=True, database=None, deadline=None, max_examples=60, phases=phases
    )


def run_tests(folder: Path, tests: list[str], *options: str) -> int:
    """Run the tests that compile no network on the package in `folder`, and never return: end with pytest's code."""
    import pytest

    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "SNSTDP_CACHE": str(folder / "cache")}
    with (folder / "output.txt").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    chosen = ("-m", "not compiles and not slow", "--hypothesis-profile=mutations", f"--basetemp={folder / 'tmp'}")
    quiet = ("-n", "0", "-p", "no:cacheprovider", "-W", "ignore", "-rfE", "--tb=no")
    code = 3
    try:
        signal.setitimer(signal.ITIMER_PROF, _ENDLESS_S)
        code = int(pytest.main([*chosen, *quiet, *options, *tests]))
    finally:
        sys.stdout.flush()
        os._exit(code)


@dataclass
class Trial:
    """A process that runs tests in a folder of its own."""

    folder: Path
    tests: list[str]
    options: tuple[str, ...] = ()
    process: int = 0
    started_s: float = 0.0

    def start(self) -> None:
        self.started_s = time.monotonic()
        sys.stdout.flush()
        self.process = os.fork()
        if self.process == 0:
            run_tests(self.folder, self.tests, *self.options)

    def outcome(self, status: int) -> tuple[int, list[str]]:
        """Return pytest's exit code (below 0 for a signal) and the test functions that failed; the folder goes."""
        code, output = os.waitstatus_to_exitcode(status), (self.folder / "output.txt").read_text(errors="replace")
        shutil.rmtree(self.folder, ignore_errors=True)
        return code, list(dict.fromkeys(re.findall(r"^(?:FAILED|ERROR) ([^\s\[]+)", output, re.MULTILINE)))


def mutate(text: str, old: str, new: str, occurrence: int) -> str | None:
    """Replace one occurrence of `old`, or return None if there is none."""
    at = -1
    for _ in range(occurrence + 1):
        at = text.find(old, at + 1)
        if at < 0:
            return None
    return text[:at] + new + text[at + len(old) :]


def prepare(mutation: Mutation, left_out: list[str], place: Path) -> Trial | None:
    """Copy the project with this mutation; None if it does not apply."""
    name, old, new, occurrence = mutation
    mutated = mutate((ROOT / "snstdp_cli" / name).read_text(), old, new, occurrence)
    if mutated is None:
        return None
    folder = Path(tempfile.mkdtemp(dir=place))
    copy_project(folder)
    (folder / "snstdp_cli" / name).write_text(mutated)
    return Trial(folder, tests_of([name]), ("-x", *(f"--deselect={test}" for test in left_out)))


def try_all(
    mutations: list[Mutation], left_out: list[str], place: Path, jobs: int
) -> Iterator[tuple[Mutation, str, str | None]]:
    """Yield each mutation with what became of it and the test that noticed, as they end."""
    running: dict[int, tuple[Mutation, Trial]] = {}
    waiting = list(reversed(mutations))
    while waiting or running:
        while waiting and len(running) < jobs:
            mutation = waiting.pop()
            trial = prepare(mutation, left_out, place)
            if trial is None:
                yield mutation, "does not apply", None
                continue
            trial.start()
            running[trial.process] = mutation, trial
        if running:
            process, status = os.wait()
            mutation, trial = running.pop(process)
            code, failed = trial.outcome(status)
            told = f"{verdict(code, failed)} ({time.monotonic() - trial.started_s:.0f} s)"
            yield mutation, told, failed[0] if failed else None


def verdict(code: int, failed: list[str]) -> str:
    """Say what tests made of a mutation, from pytest's exit code (below 0 for a signal) and those that failed."""
    if failed:
        return f"noticed by {failed[0].rpartition('::')[2]}"
    if code < 0:
        return f"noticed by signal {-code}"
    return f"pytest ended with {code}" if code else "survived"


def failing_anyway(tests: list[str], place: Path) -> list[str]:
    """Return which of these tests fail without any mutation.

    Raises
    ------
    SystemExit
        If they cannot be run.
    """
    folder = Path(tempfile.mkdtemp(dir=place))
    copy_project(folder)
    trial = Trial(folder, tests)
    trial.start()
    code, failed = trial.outcome(os.waitpid(trial.process, 0)[1])
    if code not in (0, 1):
        print(f"the tests cannot be run: pytest ended with {code}")
        raise SystemExit(2)
    return failed


def main() -> int:
    """Try all mutations and print what became of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, help="mutations tried at the same time")
    parser.add_argument("--only", default="", help="only mutations of files whose path begins like this: network/")
    parser.add_argument("--part", default="1/1", help="only one of so many parts: 2/4")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    mutations = [mutation for mutation in MUTATIONS if mutation[0].startswith(options.only)][part - 1 :: parts]
    started_s, left_out, waiting, results = time.monotonic(), list[str](), mutations, Counter[str]()
    import_libraries()
    with tempfile.TemporaryDirectory(prefix="mutate-") as temporary:
        place = Path(temporary)
        while waiting:
            noticed = list[tuple[Mutation, str]]()
            for mutation, result, test in try_all(waiting, left_out, place, options.jobs):
                print(f"{result:<16} {mutation[0]}: {mutation[1]!r} -> {mutation[2]!r}", flush=True)
                results["noticed" if "noticed" in result else result.partition(" (")[0]] += 1
                noticed += [] if test is None else [(mutation, test)]
            failing = failing_anyway(sorted({test for _, test in noticed}), place) if noticed else []
            for test in failing:
                print(f"fails without a mutation, left out: {test}")
            left_out += failing
            waiting = [mutation for mutation, test in noticed if test in failing]
            results["noticed"] -= len(waiting)
    minutes = (time.monotonic() - started_s) / 60
    print(
        f"{len(mutations)} mutations in {minutes:.0f} minutes:", ", ".join(f"{n} {what}" for what, n in results.items())
    )
    return 1 if results["survived"] else 0 if results["noticed"] == len(mutations) else 2


if __name__ == "__main__":
    sys.exit(main())
