"""How long a presentation takes on this machine, and how much memory: the table that anyone can make again."""

from snstdp_cli.machine.bench.measure import BenchmarkResult, Measurement, run_benchmark
from snstdp_cli.machine.bench.report import report_markdown, write_report

__all__ = ["BenchmarkResult", "Measurement", "report_markdown", "run_benchmark", "write_report"]
