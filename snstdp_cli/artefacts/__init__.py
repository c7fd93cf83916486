"""Names and files: weights, recorded activity, checkpoints and locks below one working folder."""

from snstdp_cli.artefacts.checkpoints import Checkpoint, delete_checkpoints, read_checkpoint, write_checkpoint
from snstdp_cli.artefacts.files import Workdir, write_atomic
from snstdp_cli.artefacts.locks import lock_name
from snstdp_cli.artefacts.responses import (
    Responses,
    find_recordings,
    list_recorded,
    load_ancestor_pair,
    load_responses,
    recording_path,
    refuse_recording,
    save_ancestor_pair,
    save_responses,
)
from snstdp_cli.artefacts.weights import (
    TrainedWeights,
    list_snapshots,
    list_weights,
    load_weight_files,
    load_weights,
    save_snapshot,
    save_weights,
    weights_exist,
)

__all__ = [
    "Checkpoint",
    "Responses",
    "TrainedWeights",
    "Workdir",
    "delete_checkpoints",
    "find_recordings",
    "list_recorded",
    "list_snapshots",
    "list_weights",
    "load_ancestor_pair",
    "load_responses",
    "load_weight_files",
    "load_weights",
    "lock_name",
    "read_checkpoint",
    "recording_path",
    "refuse_recording",
    "save_ancestor_pair",
    "save_responses",
    "save_snapshot",
    "save_weights",
    "weights_exist",
    "write_atomic",
    "write_checkpoint",
]
