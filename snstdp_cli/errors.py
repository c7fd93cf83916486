"""What can go wrong, as a user should read it: what was found, what was expected, where, what to do.

Every error that a user can cause or meet derives from `SnstdpError` and carries the exit code of the command line.
"""


class SnstdpError(Exception):
    """Base of all errors with a message written for the user."""

    exit_code = 1


class ConfigError(SnstdpError):
    """A configuration, flag or name that cannot be used."""

    exit_code = 2


class DataError(SnstdpError):
    """Images or labels that are missing, damaged or do not fit."""

    exit_code = 2


class ArtefactError(SnstdpError):
    """Weights, activity or checkpoints that are missing, damaged or would be overwritten."""

    exit_code = 2


class StorageError(ArtefactError):
    """A disk that is full or fails while an artefact is written; nothing is wrong with the command."""

    exit_code = 1


class EngineError(SnstdpError):
    """A compiler or a simulation that failed."""


class NumericalError(SnstdpError):
    """A network that ran away, fell silent or produced a number that is not finite."""


class InterruptedRunError(SnstdpError):
    """The user stopped a run; its last checkpoint is on disk."""

    exit_code = 130
