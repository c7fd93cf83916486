"""Many experiments from one file: plan, cells, executors."""
