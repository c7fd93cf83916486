"""The k-means that the published accuracies are seen beside: more prototypes tell more, none of it by chance."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snstdp_cli.datasets import load_dataset

TOOLS = Path(__file__).parents[1] / "tools"


def test_more_prototypes_tell_more_and_an_empty_image_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(TOOLS))
    from prototypes import prototype_accuracy

    train, test = (load_dataset("bundled", split) for split in ("train", "test"))
    images = np.concatenate([np.zeros_like(train.images[:1]), train.images[1:]])
    few, many = (
        prototype_accuracy(replace(train, images=images), test, num, num_labels=2_000, seed=0) for num in (10, 100)
    )
    assert 0.4 < few < 0.7
    assert 0.75 < many < 0.9
    again = prototype_accuracy(replace(train, images=images), test, 10, num_labels=2_000, seed=0)
    assert again == few
