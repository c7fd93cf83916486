"""Connections that nothing is drawn for: as Brian 2 makes them, without its code where it runs here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from reference import open_run, small_experiment

from snstdp_cli.brian_import import NeuronGroup, Synapses
from snstdp_cli.engines.brian import brian_session
from snstdp_cli.network.connections import connect_all, connect_each


@pytest.mark.parametrize(
    ("sources", "targets", "connect", "usual"),
    [(1, 5, connect_all, {}), (4, 1, connect_all, {}), (3, 2, connect_all, {}), (3, 3, connect_each, {"j": "i"})],
)
def test_synapses_are_those_of_brian_in_its_order(
    sources: int, targets: int, connect: Callable[[Synapses], None], usual: dict[str, str]
) -> None:
    with brian_session():
        groups = NeuronGroup(sources, "v : 1"), NeuronGroup(targets, "v : 1")
        ours, theirs = Synapses(*groups), Synapses(*groups)
        connect(ours)
        theirs.connect(**usual)
        for name in ("i", "j"):
            np.testing.assert_array_equal(np.asarray(getattr(ours, name)), np.asarray(getattr(theirs, name)))


@pytest.mark.parametrize("rule", ["smax-lagged", "triplet"])
def test_a_network_for_numpy_is_built_without_code_for_its_connections(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("code for connections was generated")

    monkeypatch.setattr(Synapses, "_add_synapses_generator", refuse)
    for plastic in (True, False):
        open_run(small_experiment(rule), "numpy", plastic=plastic)
