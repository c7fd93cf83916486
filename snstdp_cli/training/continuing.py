"""Continue a finished training for more examples: from the state that it ended with, under the same settings."""

from __future__ import annotations

import numpy as np

from snstdp_cli.artefacts import Checkpoint, Workdir, load_snapshots, load_weights, read_state, save_snapshot
from snstdp_cli.config import Experiment
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.fields import MAX_EXAMPLES
from snstdp_cli.training.journal import Journal
from snstdp_cli.training.resuming import state_of
from snstdp_cli.training.session import TrainingSession


def continued_experiment(experiment: Experiment, workdir: Workdir, more: int) -> Experiment:
    """Return the experiment of the weights `experiment.load_name`, longer by `more` examples.

    The name under which it is saved is that of `experiment`, and its rule if that is a program of the user's.

    Raises
    ------
    ConfigError
        If there is no name, or too many examples are asked for.
    ArtefactError
        If nothing is written down of a training of this name.
    """
    name = experiment.load_name
    if name is None:
        raise ConfigError("more: expected the name of a finished training to continue (--load-name)")
    record = load_weights(workdir, name).record
    if record is None or record.training is None:
        raise ArtefactError(
            f"{workdir.weights}: '{name}' is no training of this version of snstdp, so there is nothing to continue; "
            f"train from its weights as a new training: --load-name {name} --save-name OTHER"
        )
    num = record.experiment.num_examples + more
    if more < 1 or num > MAX_EXAMPLES:
        raise ConfigError(f"more: expected 1 to {MAX_EXAMPLES - num + more:,} examples, found {more:,}")
    changes = {"num_examples": num, "save_name": experiment.save_name}
    if record.experiment.rule.name == experiment.rule.name:
        changes["rule"] = record.experiment.rule.with_rule(experiment.rule.rule)
    return record.experiment.model_copy(update=changes)


def load_state(session: TrainingSession, workdir: Workdir, name: str) -> Checkpoint:
    """Return the state that the training `name` ended with, if it belongs to its weights.

    Raises
    ------
    ArtefactError
        If it is missing, damaged, or of another training than the weights.
    """
    other = f"train from its weights as a new training: --load-name {name} --save-name OTHER"
    try:
        state = read_state(workdir, name)
    except ArtefactError as error:
        raise ArtefactError(f"{error}\nwithout it '{name}' cannot be continued; {other}") from None
    trained, journal = load_weights(workdir, name), Journal.from_checkpoint(state)
    ended = state_of(state, session.experiment, session.wiring, session.plasticity)
    same = trained.record is not None and trained.record.training == journal.identity.digest
    if not same or not np.array_equal(session.wiring.to_matrix(ended["input_exc.w"]), trained.weights):
        raise ArtefactError(f"{state.path}: the state of another training than that of the weights '{name}'; {other}")
    return state


def copy_snapshots(session: TrainingSession, workdir: Workdir, name: str) -> None:
    """Take over the snapshots of the training that is continued, and keep its end as one more."""
    experiment, training = session.experiment, session.journal.identity.digest
    if name != experiment.save_name:
        for shot in load_snapshots(workdir, name, training, session.wiring.n_input, experiment.n_e):
            values = (shot.weights, shot.theta_mv, shot.never_learned)
            save_snapshot(workdir, experiment.save_name, training, shot.examples, *values)
    session.keep_snapshot()
