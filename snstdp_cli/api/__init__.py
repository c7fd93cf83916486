"""The functions of the Python API: what the commands do, for scripts and notebooks.

Nothing here prints (unless `progress=True`) or exits; what goes wrong is an `SnstdpError`. Brian 2's preferences,
device and `defaultclock` are left as they were found.
"""

from snstdp_cli.api.answers import predict, trace
from snstdp_cli.api.recordings import evaluate, load, record
from snstdp_cli.api.running import experiment, run, train
from snstdp_cli.api.studies import study

__all__ = ["evaluate", "experiment", "load", "predict", "record", "run", "study", "trace", "train"]
