"""Many experiments from one file: plan, cells, executors. A study is a folder, and what is in it is the truth."""

from snstdp_cli.studies.cell import CELL_NAME, Cell, build_cell
from snstdp_cli.studies.cells import CellResult, CellState, load_correct, load_results, load_score, running_cells
from snstdp_cli.studies.events import CellEnded, StudyReporter
from snstdp_cli.studies.executors import CellExecutor
from snstdp_cli.studies.file import StudyFile, check_study, read_study_file, study_schema
from snstdp_cli.studies.plan import Study, load_study
from snstdp_cli.studies.run import StudyOutcome, cells_to_run, count_states, run_study, run_tasks
from snstdp_cli.studies.running import run_cell
from snstdp_cli.studies.tasks import CellOutcome, CellTask, make_task, request_stop

__all__ = [
    "CELL_NAME",
    "Cell",
    "CellEnded",
    "CellExecutor",
    "CellOutcome",
    "CellResult",
    "CellState",
    "CellTask",
    "Study",
    "StudyFile",
    "StudyOutcome",
    "StudyReporter",
    "build_cell",
    "cells_to_run",
    "check_study",
    "count_states",
    "load_correct",
    "load_results",
    "load_score",
    "load_study",
    "make_task",
    "read_study_file",
    "request_stop",
    "run_cell",
    "run_study",
    "run_tasks",
    "running_cells",
    "study_schema",
]
