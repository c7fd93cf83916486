"""What a run tells, also as lines of JSON beside the weights, which any program can follow."""

from snstdp_cli.events.log import EventLog, events_path, read_events
from snstdp_cli.events.records import Event, event_schema

__all__ = ["Event", "EventLog", "event_schema", "events_path", "read_events"]
