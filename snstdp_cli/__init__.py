"""snstdp: spiking networks that learn with self-normalizing STDP, on Brian 2.

    import snstdp_cli as snstdp

    experiment = snstdp.experiment(n_e=100, num_examples=1500, data="bundled", save_name="first")
    network = snstdp.train(experiment)
    snstdp.record(network, split="train")
    snstdp.record(network, split="test")
    print(snstdp.evaluate(network).evaluation.accuracy)

The names in `__all__` are stable. They are loaded when they are first used: importing this package takes no time and
does not import Brian 2.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from snstdp_cli import plots as plot
    from snstdp_cli.api import evaluate, experiment, load, predict, record, run, study, trace, train
    from snstdp_cli.config import Experiment
    from snstdp_cli.datasets import ArrayDataset as Dataset
    from snstdp_cli.errors import SnstdpError
    from snstdp_cli.recording.tracing import Trace
    from snstdp_cli.results import Prediction, Score, TrainedNetwork
    from snstdp_cli.rules import Plasticity, Rule, RuleContext, RuleParameters

__all__ = [
    "Dataset",
    "Experiment",
    "Plasticity",
    "Prediction",
    "Rule",
    "RuleContext",
    "RuleParameters",
    "Score",
    "SnstdpError",
    "Trace",
    "TrainedNetwork",
    "__version__",
    "evaluate",
    "experiment",
    "load",
    "plot",
    "predict",
    "record",
    "run",
    "study",
    "trace",
    "train",
]

#: Public name -> (module, name in it); no second name for the module itself.
_PLACES: dict[str, tuple[str, str | None]] = {
    **{
        name: ("api", name)
        for name in ("evaluate", "experiment", "load", "predict", "record", "run", "study", "trace", "train")
    },
    **{name: ("rules", name) for name in ("Plasticity", "Rule", "RuleContext", "RuleParameters")},
    **{name: ("results", name) for name in ("Prediction", "Score", "TrainedNetwork")},
    "Dataset": ("datasets", "ArrayDataset"),
    "Experiment": ("config", "Experiment"),
    "SnstdpError": ("errors", "SnstdpError"),
    "Trace": ("recording.tracing", "Trace"),
    "plot": ("plots", None),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")
    module, attribute = _PLACES[name]
    loaded = importlib.import_module(f"{__name__}.{module}")
    return loaded if attribute is None else getattr(loaded, attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
