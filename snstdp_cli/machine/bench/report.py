"""The table and the plot of a benchmark, for the screen and for docs/performance.md."""

from __future__ import annotations

from pathlib import Path

from snstdp_cli.artefacts import write_atomic
from snstdp_cli.machine.bench.measure import BenchmarkResult, Measurement
from snstdp_cli.machine.bench.peers import BATCHES, COMPARED, PEER_DT_MS, PEER_N_E

#: The measured part of performance.md lies between these lines; the text around them is kept.
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def report_markdown(result: BenchmarkResult) -> str:
    """Return the tables as Markdown."""
    machine = result.machine
    lines = [
        f"Made by `{result.command}` on {result.date}: {machine['processor']}, {machine['cores']} cores, "
        f"snstdp {machine['snstdp']}, Python {machine['python']}, Brian 2 {machine['brian2']}, "
        f"NumPy {machine['numpy']}, {machine['compiler']}.",
        "",
        "Milliseconds of CPU and wall time for one presentation: median (minimum to maximum). What a chunk "
        "costs besides is spread over its 500 examples. Compile time is that of an empty cache; the rows of the Python "
        "engine share one, so that only the first with a statement compiles it.",
        "",
        "| network | dt, ms | CPU, ms | wall, ms | spikes | compile, s | memory, MB | times the yardstick |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(row, result) for row in result.rows]
    if result.yardstick:
        lines += ["", "| hand-written C (`--yardstick`) | CPU, ms |", "|---|---|"]
        lines += [f"| {name} | {_spread(cost)} |" for name, cost in result.yardstick.items()]
    lines += _peer_lines(result)
    baseline = {k: v for k, v in result.ratios.items() if k.startswith("ancestor_400_vs_")}
    if baseline:
        lines += ["", "| the ancestor's settings on Cython take longer than | times |", "|---|---|"]
        lines += [f"| {name.removeprefix('ancestor_400_vs_')} | {ratio:,.1f} |" for name, ratio in baseline.items()]
    return "\n".join(lines)


def write_report(result: BenchmarkResult, folder: Path) -> list[Path]:
    """Put the tables into `performance.md` and draw `performance.png`/`.svg` in `folder`."""
    from snstdp_cli.plots import growth, save_figure

    path = folder / "performance.md"
    old = path.read_text() if path.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    before, _, rest = old.partition(BEGIN)
    after = rest.partition(END)[2]
    table = f"{before}{BEGIN}\n\n{report_markdown(result)}\n\n![time and memory](performance.png)\n\n{END}{after}"
    write_atomic(path, table.encode())
    rows = [r for r in result.rows if r.case.engine == "standalone" and r.case == r.case.bound]
    learning = [r for r in rows if r.case.learning and r.case.delays]
    series = {
        rule: [(r.case.n_e, r.wall_ms[0], r.memory_mb) for r in learning if r.case.rule == rule and r.case.dt == 0.5]
        for rule in dict.fromkeys(r.case.rule for r in learning)
    }
    return [path, *save_figure(growth(series), folder / "performance")]


def _peer_lines(result: BenchmarkResult) -> list[str]:
    """Return the table of other simulators, with their settings."""
    if not result.peers:
        return []
    lines = [
        "",
        f"Other simulators, {PEER_N_E} neurons, learning, {PEER_DT_MS:g} ms a step, 350 ms of an image and 150 ms of "
        f"rest ({result.peers[0].versions}; its own rule and settings otherwise, one thread, no image shown again). Of "
        f"batches of {', '.join(map(str, BATCHES))} images: one image, and the batch with the least time.",
        "",
        f"| network | batch | CPU, ms | wall, ms | spikes | times {COMPARED} |",
        "|---|---|---|---|---|---|",
    ]
    for peer in result.peers:
        ratio = result.ratios.get(f"{peer.name}_vs_{COMPARED}")
        cells = [peer.name, str(peer.batch), _spread(peer.cpu_ms), _spread(peer.wall_ms), f"{peer.spikes:.0f}"]
        lines.append("| " + " | ".join([*cells, "-" if ratio is None else f"{ratio:,.0f}"]) + " |")
    return lines


def _row(row: Measurement, result: BenchmarkResult) -> str:
    ratio = result.ratios.get(f"{row.name}_vs_yardstick")
    cells = [
        row.name,
        f"{row.case.dt:g}",
        _spread(row.cpu_ms),
        _spread(row.wall_ms),
        f"{row.spikes:.0f}",
        f"{row.compile_s:.1f}",
        f"{row.memory_mb:.0f}",
        "-" if ratio is None else f"{ratio:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _spread(values: tuple[float, float, float]) -> str:
    digits = 0 if values[0] >= 100 else 1 if values[0] >= 10 else 2
    return f"{values[0]:.{digits}f} ({values[1]:.{digits}f} to {values[2]:.{digits}f})"
