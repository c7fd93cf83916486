"""Down to the chip: what a network costs, counted by the engine, and the network itself in whole numbers."""

from snstdp_cli.hardware.costs import Phase, PhaseCost, cost_of_phase, footprint_bytes
from snstdp_cli.hardware.counting import SpikeCounts, count_spikes
from snstdp_cli.hardware.energy import ENERGY_TABLES, EnergyTable, energy_uj
from snstdp_cli.hardware.export import Export, export_network, refuse_full_folder, write_export
from snstdp_cli.hardware.networks import NetworkCost, cost_of_network, growth

__all__ = [
    "ENERGY_TABLES",
    "EnergyTable",
    "Export",
    "NetworkCost",
    "Phase",
    "PhaseCost",
    "SpikeCounts",
    "cost_of_network",
    "cost_of_phase",
    "count_spikes",
    "energy_uj",
    "export_network",
    "footprint_bytes",
    "growth",
    "refuse_full_folder",
    "write_export",
]
