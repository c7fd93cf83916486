"""Names that the network uses itself, and that a rule's own variables and constants must therefore leave alone."""

from __future__ import annotations

#: Variables, constants and integrator's names of the network, which is built above this room; a test compares them
#: with `network.names.reserved_names`, which reads them off the network's own texts.
NETWORK_NAMES = frozenset(
    (
        *("v", "ge", "gi", "cooldown", "theta", "tick", "w_sum", "w_factor", "w", "arrived", "w_total", "i", "j", "N"),
        *("t", "dt", "t_in_timesteps", "theta_step", "refractory_steps", "refractory", "not_refractory", "lastspike"),
        *("wait", "nth", "next_step", "key", "draw_gap", "longest_gap", "delay", "v_start"),
        *("v_rest", "v_reset", "v_offset", "v_threshold", "E_exc", "E_inh", "tau", "tau_ge", "tau_gi", "tau_theta"),
        *("grid_low", "grid_step", "grid_codes", "grid_top", "draw_dither", "show_key", "show_step"),
        *("free", "mean_ge", "mean_gi", "y", "p", "e1", "e2", "e4", "phi", "slope"),
        *("keep_theta", "left_of_theta", "w_exc_inh", "w_inh_exc", "intensity", "chance_per_grey", "min_spikes"),
        *("single", "widened", "truth", "quotient"),
        *("stimulus_steps", "presentation_steps", "skipped_steps", "last_tick", "max_attempts"),
    )
)
#: What the network puts before the name of a rule's trace, for numbers of its own.
TRACE_PREFIXES = ("tau_", "keep_", "left_of_")
#: Pathways of the input synapses beside a rule's own.
PATHWAYS = frozenset({"pre", "sum_weights", "rescale", "delay"})
#: What statements may read and must not change.
READ_ONLY = frozenset({"arrived", "t", "dt", "t_in_timesteps", "i", "j", "N"})
