"""Published energies of single operations. They are multiplied by counts and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snstdp_cli.hardware.costs import PhaseCost


@dataclass(frozen=True)
class EnergyTable:
    """Energies in pJ, by what they are multiplied by.

    Attributes
    ----------
    picojoules
        `synaptic` (an effective synaptic operation), `neuron` (a neuron in a step), `update` (a synapse's update, a
        written weight), `access` (a weight that is read or written), or a kind of operation.
    source
        Where they are published.
    compared_with
        What the figures were compared with: none of the three papers was at hand.
    warning
        What they leave out.
    """

    picojoules: Mapping[str, float]
    source: str
    compared_with: str
    warning: str


ENERGY_TABLES: Mapping[str, EnergyTable] = {
    "loihi": EnergyTable(
        {"synaptic": 23.6, "neuron": 81.0, "update": 120.0},
        "M. Davies et al., Loihi: a neuromorphic manycore processor with on-chip learning, IEEE Micro 38(1) (2018), "
        "doi:10.1109/MM.2018.112130359",
        "as others transcribe its Table 2",
        "simulated before the chip was made (14 nm); 23.6 pJ is the least of a synaptic operation, 81 pJ an active "
        "neuron's (52 an inactive one's), and the update is that of pairwise STDP, not of these rules; spikes between "
        "tiles, and what the chip takes without work, are left out",
    ),
    "truenorth": EnergyTable(
        {"synaptic": 26.0},
        "P. A. Merolla et al., A million spiking-neuron integrated circuit, Science 345 (2014), "
        "doi:10.1126/science.1254642",
        "as others quote it",
        "the whole chip's power, at rest too, divided by its synaptic events, for one network (20 Hz, 128 active "
        "synapses of a neuron); the chip does not learn, so that learning costs nothing in this table",
    ),
    "horowitz45": EnergyTable(
        {"access": 10.0, "add": 0.1, "multiply": 3.1},
        "M. Horowitz, Computing's energy problem, ISSCC (2014), doi:10.1109/ISSCC.2014.6757323",
        "as quoted in Table 3 of PMC8934428 (PubMed Central)",
        "45 nm, 0.9 V, 32-bit whole numbers; an access is one of 64 bits to 8 KB of SRAM, which no network of this "
        "size fits into; division, comparison and exp are not in the table and cost nothing here",
    ),
}


def energy_uj(cost: PhaseCost, table: EnergyTable) -> float:
    """Return counts times energies, for an example, in microjoules."""
    total = cost.operations
    amounts = {
        "synaptic": cost.effective_operations,
        "neuron": cost.neuron_updates,
        "update": cost.update.writes + cost.normalization.writes,
        "access": total.reads + total.writes,
        "add": total.add,
        "multiply": total.multiply,
    }
    return sum(picojoules * amounts[what] for what, picojoules in table.picojoules.items()) * 1e-6
