"""Names and files: weights, recorded activity, checkpoints and locks below one working folder."""

from snstdp_cli.artefacts.ancestor import UNNAMED, series_numbers
from snstdp_cli.artefacts.checkpoints import (
    Checkpoint,
    delete_checkpoints,
    keep_state,
    read_checkpoint,
    read_state,
    write_checkpoint,
)
from snstdp_cli.artefacts.files import Workdir, refuse_overwrite, write_atomic
from snstdp_cli.artefacts.locks import lock_name
from snstdp_cli.artefacts.partial import delete_partial, load_partial, save_partial
from snstdp_cli.artefacts.record_files import read_record, read_record_file, write_record_file
from snstdp_cli.artefacts.recordings import (
    RecordingFile,
    Responses,
    list_recorded,
    list_recordings,
    load_ancestor_pair,
    load_record,
    load_responses,
    recording_mark,
    recording_path,
    refuse_ancestor_pair,
    save_ancestor_pair,
    save_responses,
)
from snstdp_cli.artefacts.records import (
    DataRecord,
    History,
    Record,
    RecordingFigures,
    RecordingRecord,
    SeenImages,
    StartRecord,
    TrainingFigures,
    TrainingRecord,
    WeightsRecord,
)
from snstdp_cli.artefacts.snapshots import Snapshot, drop_other_snapshots, load_snapshots, save_snapshot
from snstdp_cli.artefacts.weight_arrays import TrainedWeights, digest_of_weights, load_weight_files, marks_of
from snstdp_cli.artefacts.weights import (
    list_weights,
    load_weights,
    save_weights,
    weight_paths,
    weights_exist,
)
from snstdp_cli.artefacts.writable import require_writable

__all__ = [
    "UNNAMED",
    "Checkpoint",
    "DataRecord",
    "History",
    "Record",
    "RecordingFigures",
    "RecordingFile",
    "RecordingRecord",
    "Responses",
    "SeenImages",
    "Snapshot",
    "StartRecord",
    "TrainedWeights",
    "TrainingFigures",
    "TrainingRecord",
    "WeightsRecord",
    "Workdir",
    "delete_checkpoints",
    "delete_partial",
    "digest_of_weights",
    "drop_other_snapshots",
    "keep_state",
    "list_recorded",
    "list_recordings",
    "list_weights",
    "load_ancestor_pair",
    "load_partial",
    "load_record",
    "load_responses",
    "load_snapshots",
    "load_weight_files",
    "load_weights",
    "lock_name",
    "marks_of",
    "read_checkpoint",
    "read_record",
    "read_record_file",
    "read_state",
    "recording_mark",
    "recording_path",
    "refuse_ancestor_pair",
    "refuse_overwrite",
    "require_writable",
    "save_ancestor_pair",
    "save_partial",
    "save_responses",
    "save_snapshot",
    "save_weights",
    "series_numbers",
    "weight_paths",
    "weights_exist",
    "write_atomic",
    "write_checkpoint",
    "write_record_file",
]
