"""Numerical alarms of any presentation: a population that runs away or falls silent, a number that is not finite.

Each alarm names the example or the neuron, and what to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.engines import ChunkResult
from snstdp_cli.errors import NumericalError
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Symptom

#: A population that answers with more is not competing any more; trained networks fire about 20 spikes in all.
RUNAWAY_PER_NEURON, RUNAWAY_AT_LEAST = 10, 1000
#: Fewer examples than this without an answer may be chance.
SILENT_AT_LEAST = 20
_UNITS = {"v": "volt", "theta": "volt"}


def check_finite(
    state: Mapping[str, NDArray[Any]], first: int, last: int, wiring: Wiring, advice: Mapping[Symptom, str]
) -> None:
    """Refuse NaN and infinity in any variable of the network.

    Parameters
    ----------
    advice
        What else to change, by symptom (`not finite`), as the learning rule says.

    Raises
    ------
    NumericalError
        Naming the variable, the neuron and the examples `first` to `last - 1`.
    """
    for name, values in state.items():
        if np.isfinite(values).all():
            continue
        where = int(np.flatnonzero(~np.isfinite(values))[0])
        neuron = int(wiring.post[where]) if name.startswith("input_exc") else where
        unit = _UNITS.get(name.split(".")[1])
        raise NumericalError(
            f"{name} of neuron {neuron} is {values[where]} after the examples {first} to {last - 1}; expected a finite "
            f"number{f' in {unit}' if unit else ''}. Use a smaller dt, network.integration: exponential_euler, or "
            f"smaller weights{_more(advice, 'not finite')}"
        )


def check_activity(result: ChunkResult, first: int, advice: Mapping[Symptom, str], silent_before: int = 0) -> int:
    """Refuse a population that runs away or does not answer.

    Parameters
    ----------
    first
        Number of the first example.
    advice
        What else to change, by symptom (`runaway`, `silent`), as the learning rule or the caller says.
    silent_before
        How many examples in a row were not answered just before these ones.

    Returns
    -------
    How many examples in a row were not answered at the end of these ones, for those that follow.

    Raises
    ------
    NumericalError
        If most examples ran away, or all of them on average, or none was answered, of so many in a row that it is no
        chance.
    """
    spikes = result.counts.sum(axis=1, dtype=np.int64)
    limit = max(RUNAWAY_AT_LEAST, RUNAWAY_PER_NEURON * result.counts.shape[1])
    loud = np.flatnonzero(spikes > limit)
    if 2 * len(loud) > len(spikes) or spikes.mean() > limit:
        example = int(loud[0])
        neuron = int(result.counts[example].argmax())
        raise NumericalError(
            f"runaway activity: {spikes[example]:,} excitatory spikes answered example {first + example} (neuron "
            f"{neuron} alone fired {result.counts[example, neuron]} times), and {len(loud)} of {len(spikes)} examples "
            f"went over {limit:,}; expected tens. Use network.integration: exponential_euler, a smaller dt"
            f"{_more(advice, 'runaway')}"
        )
    answered = np.flatnonzero(~result.silent)
    in_a_row = len(spikes) - 1 - int(answered[-1]) if len(answered) else silent_before + len(spikes)
    if not len(answered) and in_a_row >= SILENT_AT_LEAST:
        last = first + len(spikes) - 1
        raise NumericalError(
            f"the network has gone silent: none of the examples {last + 1 - in_a_row} to {last} was answered by "
            f"enough spikes (at most {int(spikes.max())}), even at the highest intensity. Use a larger "
            f"presentation.max_intensity{_more(advice, 'silent')}"
        )
    return in_a_row


def _more(advice: Mapping[Symptom, str], symptom: Symptom) -> str:
    return f", or {advice[symptom]}" if symptom in advice else ""
