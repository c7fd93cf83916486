"""Down to the chip: what a network costs, counted by the engine, and the network itself in whole numbers."""

from snstdp_cli.hardware.costs import Phase, PhaseCost, cost_of_phase, footprint_bytes
from snstdp_cli.hardware.counted import count_cost
from snstdp_cli.hardware.counting import SpikeCounts, count_spikes
from snstdp_cli.hardware.energy import ENERGY_TABLES, EnergyTable, energy_uj
from snstdp_cli.hardware.export import Export, export_network, refuse_full_folder, write_export
from snstdp_cli.hardware.networks import NetworkCost, cost_of_network, growth
from snstdp_cli.hardware.records import CostRecord, cost_path, load_cost, save_cost

__all__ = [
    "ENERGY_TABLES",
    "CostRecord",
    "EnergyTable",
    "Export",
    "NetworkCost",
    "Phase",
    "PhaseCost",
    "SpikeCounts",
    "cost_of_network",
    "cost_of_phase",
    "cost_path",
    "count_cost",
    "count_spikes",
    "energy_uj",
    "export_network",
    "footprint_bytes",
    "growth",
    "load_cost",
    "refuse_full_folder",
    "save_cost",
    "write_export",
]
