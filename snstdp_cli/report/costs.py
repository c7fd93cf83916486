"""The part of a report about a chip: what was counted of each network, learning and answering apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from snstdp_cli.fields.command_lines import command_line, place_words
from snstdp_cli.hardware import CostRecord, NetworkCost, Phase
from snstdp_cli.hardware.figures import GROWTH_COLUMNS, growth_rows, memory_rows, phase_figures
from snstdp_cli.report.content import Content, Run
from snstdp_cli.report.markup import Cell, Markup, percent, table, tag

_TITLES: Mapping[Phase, str] = {"learning": "To learn from an image", "answering": "To answer to an image"}
_MEANING = (
    "Counted, not estimated, for an average image with its failed tries: spikes, synaptic operations (dense: every "
    "synapse in every step; effective: those that a spike reaches), accesses to input weights, and operations."
)


def costs(content: Content) -> list[Markup]:
    """Return spikes, accesses, operations and memory of every network that they were counted of."""
    counted = [(run, run.cost) for run in content.runs if run.cost is not None]
    place = place_words(content.workdir, content.data_dir)
    parts = [_absent(run, place) for run in content.runs if run.cost is None and run.weights is not None]
    if not counted:
        return parts
    found = [record.cost for _, record in counted]
    memory = [memory_rows(one) for one in found]
    rows = [(key, *(Cell(one[key]) for one in memory)) for key in memory[0]]
    tables = [_phase_table(found, phase, title) for phase, title in _TITLES.items()]
    tables.append(table(["memory", *(one.name for one in found)], rows, "Memory", class_=None))
    growth = [tuple(row) for one in found for row in growth_rows(one)]
    tables.append(table(GROWTH_COLUMNS, growth, "Growth with the inputs", class_=None))
    sources: dict[str, list[str]] = {}
    for run, record in counted:
        sources.setdefault(_counted_from(record), []).append(run.name)
    return [
        tag("p", _MEANING, class_="lead"),
        *(tag("p", f"{', '.join(names)}: {source}", class_="note") for source, names in sources.items()),
        tag("div", [tag("div", one) for one in tables], class_="columns" if len(found) == 1 else None),
        *parts,
    ]


def _phase_table(found: Sequence[NetworkCost], phase: Phase, title: str) -> Markup:
    figures = [phase_figures(one.phases[phase]) for one in found]
    rows: list[Sequence[object]] = [
        (
            "presentations",
            *(Cell(f"{one.phases[phase].presentations:.3g}", one.phases[phase].presentations) for one in found),
        )
    ]
    rows += [(key, *(Cell(f"{one[key]:,.0f}", one[key]) for one in figures)) for key in figures[0]]
    sparse = [one.phases[phase].activation_sparsity for one in found]
    rows.append(("activation sparsity", *(Cell(percent(share, 3), share) for share in sparse)))
    return table(["on average", *(one.name for one in found)], rows, title, class_=None)


def _counted_from(record: CostRecord) -> str:
    version = record.versions.get("snstdp", "unknown")
    declared = "" if record.cost.declared else f" The rule {record.cost.rule} does not declare what it costs."
    return (
        f"counted by the engine from the first {record.images:,} training and test images of "
        f"{record.train.identity}, on {record.date[:10]} by snstdp {version}.{declared}"
    )


def _absent(run: Run, place: list[str]) -> Markup:
    if "cost" in run.missing:
        return tag("p", run.missing["cost"], class_="missing")
    command = tag("code", command_line("hardware", "cost", run.name, *place))
    return tag("p", f"{run.name}: nothing is counted; ", command, " counts it.", class_="missing")
