"""The presentation protocol as equations and statements.

A one-neuron *controller* counts time steps. It shows each example for `stimulus_ms`, rests for `rest_ms`, and shows it
again with intensity + 1 when fewer than `min_spikes` excitatory spikes answered, up to a cap. When the last example of
a chunk is done it stops the simulation. Input spikes fall on the ticks 1 to `stimulus_steps`; tick 0 is the moment in
which the image appears. An input knows the step of its next spike and draws the one after it when it fires
(`randomness`), so that no random number is drawn for a step without a spike.
"""

from __future__ import annotations

from snstdp_cli.config import Experiment

CONTROLLER_EQUATIONS = """
tick : integer       # step within the presentation
example : integer    # index within the chunk
attempt : integer    # 0 for the first presentation of an example
spikes : 1           # excitatory spikes of this presentation
key : 1              # of this presentation's random numbers
halted : integer
first : integer      # number of the chunk's first example in the run
wanted : integer     # examples in this chunk
stream : integer
seed : integer
"""
CONTROLLER_EVENTS = {"show": "tick == 0", "hide": "tick == stimulus_steps"}
#: At the end of the last step that is simulated, where the rest of the rest is not.
REST_EVENT = {"rest": "tick == last_tick"}
#: The argument is an array of the neurons in question, which NumPy leaves empty in all other steps.
SKIP_REST = "tick = tick + skip_steps(skipped_steps * int(tick == last_tick))"
#: What the controller does at the start of each step.
CONTROLLER_STEP = """
tick = tick + 1
over = int(tick >= presentation_steps)
settled = int(spikes >= min_spikes or attempt + 1 >= max_attempts)
example = example + over * settled
attempt = (1 - over) * attempt + over * (1 - settled) * (attempt + 1)
spikes = (1 - over) * spikes
tick = (1 - over) * tick
last = int(tick == last_tick and (spikes >= min_spikes or attempt + 1 >= max_attempts))
halted = stop_if(last * int(example + 1 >= wanted))
key = draw_key(seed, stream, first + example, attempt)
"""
#: At each excitatory spike: those of the rest and the echo at tick 0 count for nothing.
COUNT_SPIKE = "spikes_post += int(tick_post > 0 and tick_post <= stimulus_steps)"

INPUT_EQUATIONS = """
wait : 1             # from `mean_wait`, steps
nth : integer        # spikes of this presentation
next_step : integer  # of the chunk, in which it fires
key : 1 (linked)
"""
#: What the inputs know besides when weights are rescaled at the start of each presentation.
INPUT_TICK = "tick : integer (linked)\n"
INPUT_THRESHOLD = "t_in_timesteps == next_step"
INPUT_RESET = """
nth += 1
next_step = t_in_timesteps + draw_gap(key, i, nth, wait, longest_gap)
"""
#: `next_step` of an input that waits for nothing.
NO_STEP = -1
BEGIN = {"begin": "tick == 0"}
SHOW_IMAGE = {
    "show": """
wait_post = mean_wait(pixels(example_pre * second, j) * (intensity + attempt_pre) * chance_per_grey)
nth_post = 0
next_step_post = t_in_timesteps + draw_gap(key_pre, j, 0, wait_post, longest_gap)
""",
    "hide": f"next_step_post = {NO_STEP}",
}


def controller_constants(experiment: Experiment) -> dict[str, float]:
    """Return the numbers in the controller's statements."""
    return {
        "stimulus_steps": experiment.stimulus_steps,
        "presentation_steps": experiment.presentation_steps,
        "last_tick": experiment.presentation_steps - 1 - experiment.skipped_steps,
        "min_spikes": experiment.presentation.min_spikes,
        "max_attempts": experiment.max_attempts,
    }


def input_constants(experiment: Experiment) -> dict[str, float]:
    """Return the numbers in the inputs' reset: a gap longer than the stimulus is as good as none."""
    return {"longest_gap": experiment.stimulus_steps + 1}


def image_constants(experiment: Experiment) -> dict[str, float]:
    """Return the numbers in `SHOW_IMAGE`: see `Experiment.chance_per_grey`."""
    rates = {"intensity": experiment.presentation.intensity, "chance_per_grey": experiment.chance_per_grey}
    return {**rates, **input_constants(experiment)}
