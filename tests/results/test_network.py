"""A trained network looks at its files when it is asked, and again after something was recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from stored_networks import images, make_network, record_responses

from snstdp_cli.results import TrainedNetwork


def test_a_recording_that_was_made_meanwhile_is_seen(tmp_path: Path) -> None:
    place = make_network(tmp_path, "net", record=False)
    network = TrainedNetwork(place, "net")
    assert network.recordings == []
    record_responses(place, "net", images(tmp_path, "test"), np.random.default_rng(0))
    network.forget_recordings()
    assert [file.split for file, _ in network.recordings] == ["test"]
