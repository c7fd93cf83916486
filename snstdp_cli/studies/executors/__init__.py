"""Who runs the cells: this process, Dask's local cluster, a running one, or the jobs of a batch system."""

from snstdp_cli.studies.executors.base import CellExecutor
from snstdp_cli.studies.executors.serial import SerialExecutor

__all__ = ["CellExecutor", "SerialExecutor"]
