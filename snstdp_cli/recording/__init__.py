"""Record what frozen networks answer: to a whole split of a data set, or every spike of one presentation."""

from snstdp_cli.recording.presenting import present_images
from snstdp_cli.recording.record import plan_record, record_activity

__all__ = ["plan_record", "present_images", "record_activity"]
