"""Record what frozen networks answer: to a whole split of a data set, or every spike of one presentation."""

from snstdp_cli.recording.record import record_activity

__all__ = ["record_activity"]
