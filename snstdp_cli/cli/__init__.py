"""The command line: translate, call one function, print. Only this package prints or exits.

`main` prepares for whatever may happen before anything else is imported; the commands are in modules of their names.
"""

from __future__ import annotations

import atexit
import gc
import sys

from snstdp_cli.cli import signals, streams

__all__ = ["main"]

#: New objects after which Python looks for garbage. By its own number (700) it searches again and again what imports
#: made to stay, which is nearly a tenth of the time of a short command.
_COLLECT_AFTER = 50_000


def main() -> None:
    """Run the command line and exit."""
    signals.catch()
    streams.prepare()
    gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])
    # Python would look through all that is there for garbage once more before the process and its memory end.
    atexit.register(gc.freeze)
    try:
        # In here, so that an interrupt meanwhile and an output that is closed do no harm.
        from snstdp_cli.cli.app import app

        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        code = signals.INTERRUPTED
    else:
        code = 0
    signals.ignore()
    sys.exit(streams.finish(code))
