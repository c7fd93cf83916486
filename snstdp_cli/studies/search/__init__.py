"""Search for the best settings: Optuna proposes, cells are run and scored on validation images, a journal remembers."""
