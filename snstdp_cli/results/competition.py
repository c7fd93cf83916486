"""Whether neurons share the images: some that never learned, few that dominate, images that nobody answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.fields import percent
from snstdp_cli.results.finding import Finding

#: So many examples in a hundred that have to be shown again deserve advice, and so many that never answer.
_MANY_RETRIES, _MANY_SILENT = 0.25, 0.01
#: So large a part of the spikes of so small a part of the neurons is a domination.
_MOST_SPIKES, _FEW_NEURONS = 0.5, 0.1
#: Fewer neurons than these have no tenth.
_LEAST_NEURONS = 20
#: Thresholds that rise by so many times Diehl's step for the size at each spike may rise out of reach.
_LARGE_STEP = 2.0


def threshold_advice(step_mv: float, usual_mv: float, *, many_retries: bool) -> str | None:
    """Return what to change of thresholds that explain why neurons do not share the images; None if they do not.

    Parameters
    ----------
    step_mv
        By how much a threshold rises at a spike.
    usual_mv
        By how much it does by default in a network of this size.
    many_retries
        Whether many images had to be shown again.
    """
    if step_mv == 0:
        return "Leave out network.theta_step_mv: at 0 no threshold rises, and nothing holds back a neuron that wins."
    if many_retries and step_mv > _LARGE_STEP * usual_mv:
        return (
            f"Use a smaller network.theta_step_mv ({step_mv:g} here, {usual_mv:g} by default): thresholds rise out of "
            "reach."
        )
    return None


def intensity_advice(intensity: float, usual: float) -> str | None:
    """Return what to change of inputs that are weaker than by default; None if they are not."""
    if intensity >= usual:
        return None
    return f"Use a larger presentation.intensity ({intensity:g} here, {usual:g} by default)."


def never_learned_finding(never: int, neurons: int, advice: str | None = None) -> Finding | None:
    """Say how many neurons never spiked while learning; None if all did."""
    if never == 0:
        return None
    text = (
        f"{never:,} of {neurons:,} neurons never spiked while learning: their weights are those of the beginning, and "
        "they have no label."
    )
    return Finding("never learned", text, advice, alarming=2 * never >= neurons)


def retries_finding(retries: int, examples: int, advice: str | None = None) -> Finding | None:
    """Say how often images had to be shown again; None if that was rare."""
    if not examples or retries < _MANY_RETRIES * examples:
        return None
    text = (
        f"{retries:,} presentations were repeated at a higher intensity for {examples:,} examples, because too few "
        "neurons answered; each one takes as long as the first."
    )
    return Finding("retries", text, advice or "Use a larger presentation.intensity.")


def silent_finding(silent: int, examples: int, advice: str | None = None) -> Finding | None:
    """Say how many examples never answered; None if there were hardly any."""
    if not examples or silent < max(1.0, _MANY_SILENT * examples):
        return None
    text = f"{silent:,} of {examples:,} training examples were not answered even at the highest intensity."
    return Finding("silent", text, advice or "Use a larger presentation.max_intensity.", alarming=True)


def dominating_finding(spikes: NDArray[np.float64], advice: str | None = None) -> Finding | None:
    """Say whether few neurons give most of the answers; None if they do not.

    Parameters
    ----------
    spikes
        Recorded spikes of each neuron, [n_e].
    """
    total, few = float(spikes.sum()), int(len(spikes) * _FEW_NEURONS)
    if len(spikes) < _LEAST_NEURONS or total == 0:
        return None
    share = float(np.sort(spikes)[::-1][:few].sum()) / total
    if share < _MOST_SPIKES:
        return None
    text = (
        f"Few neurons dominate: {few:,} of {len(spikes):,} give {percent(share, 0)} of the spikes for training images."
    )
    advice = advice or "Train on more examples, or use a larger network.theta_step_mv."
    return Finding("dominating", text, advice, alarming=True)
