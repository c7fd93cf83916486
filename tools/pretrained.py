"""The networks that come with snstdp: those of seed 0 of the published study `rules`, 400 neurons, default settings."""

from __future__ import annotations

from pathlib import Path

from snstdp_cli.artefacts import Workdir, load_weights, weights_exist
from snstdp_cli.artefacts.files import json_bytes, write_files
from snstdp_cli.artefacts.weights import weight_paths
from snstdp_cli.studies.cell import CELL_NAME
from snstdp_cli.studies.results import StudyResults

_N_E, _SEED = 400, 0
_NOTE = "made by `snstdp study run configs/studies/results/rules.yaml`, seed 0, and renamed"


def renew_pretrained(results: StudyResults, root: Path) -> list[str]:
    """Write `pretrained_<rule>_400` in `weights/` from the finished cells, and return the names.

    The arrays are the cells' own files, so that every bit of them stays; the record has the new names.
    """
    names = []
    for cell in results.cells:
        if cell.state != "finished" or cell.seed != _SEED or cell.settings["n_e"] != _N_E:
            continue
        if not weights_exist(Workdir(cell.folder), CELL_NAME):  # finished elsewhere
            continue
        rule = cell.settings["rule"]
        names.append(f"pretrained_{rule}_{_N_E}")
        stored = load_weights(Workdir(cell.folder), CELL_NAME)
        assert stored.record is not None
        old, new = weight_paths(Workdir(cell.folder), CELL_NAME), weight_paths(Workdir(root), names[-1])
        experiment = stored.record.experiment.model_copy(update={"save_name": f"{rule}_{_N_E}"})
        files = {b.name: stored.record.files[a.name] for a, b in zip(old[:2], new[:2], strict=True)}
        record = stored.record.model_copy(update={"experiment": experiment, "files": files, "note": _NOTE})
        arrays = {b: a.read_bytes() for a, b in zip(old[:2], new[:2], strict=True)}
        write_files({new[2]: json_bytes(record.model_dump(mode="json"), new[2]), **arrays})
    return names
