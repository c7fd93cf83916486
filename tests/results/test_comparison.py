"""Networks side by side: a group differs in nothing but its seeds, whatever the names say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stored_networks import NUM, images, make_network, record_responses
from synthetic import SIDE, write_idx_set

from snstdp_cli.artefacts import Workdir
from snstdp_cli.artefacts.provenance import describe_data
from snstdp_cli.cli.score_tables import show_scores
from snstdp_cli.datasets import Dataset, from_arrays, load_dataset
from snstdp_cli.plots import comparison
from snstdp_cli.report import gather, render
from snstdp_cli.results import Score, SeedGroup, TrainedNetwork, differing_rows, group_seeds, score_network


def named_alike(split: Any, bright: int) -> Dataset:
    """Return images of one name that differ in one pixel."""
    classes = (np.arange(NUM) % 4).astype(np.uint8)
    pixels = np.zeros((NUM, SIDE, SIDE), np.uint8)
    pixels[np.arange(NUM), 0, np.arange(NUM) % SIDE] = 200
    pixels[:, SIDE - 1, SIDE - 1] = bright
    made = from_arrays(pixels, classes, split=split, name="own.npz")
    return replace(made, identity=replace(made.identity, set_digest="5" * 64))


def record_on(root: Path, name: str, seed: int, labelled: int, scored: int) -> None:
    place = make_network(root, name, seed, record=False)
    for split, bright in (("train", labelled), ("test", scored)):
        record_responses(place, name, named_alike(split, bright), np.random.default_rng(seed), seed=seed)


def scores_of(root: Path, names: str) -> list[Score]:
    return [score_network(TrainedNetwork(Workdir(root), name)) for name in names]


def grouped(root: Path, names: str) -> list[SeedGroup]:
    return group_seeds(scores_of(root, names))


class TestImages:
    @pytest.mark.parametrize(
        ("other", "keys"),
        [((1, 2), set()), ((1, 9), {"data"}), ((9, 2), {"labels from"}), ((9, 8), {"data", "labels from"})],
    )
    def test_images_of_one_name_are_told_apart_by_their_checksums(
        self, tmp_path: Path, other: tuple[int, int], keys: set[str]
    ) -> None:
        record_on(tmp_path, "a", 0, 1, 2)
        record_on(tmp_path, "b", 1, *other)
        groups = grouped(tmp_path, "ab")
        assert len(groups) == (2 if keys else 1)
        for row, score in zip(differing_rows(scores_of(tmp_path, "ab")), scores_of(tmp_path, "ab"), strict=True):
            assert row.keys() - {"seed"} == keys
            if "data" in keys:
                assert score.test.record is not None
                assert row["data"] == f"own.npz ({score.test.record.data.sha256[:8]})"

    def test_networks_that_were_trained_on_other_images_are_no_seeds(self, tmp_path: Path) -> None:
        make_network(tmp_path, "a", 0)
        other = load_dataset(str(write_idx_set(tmp_path / "others", NUM, seed=9)), "train")
        apart = {**describe_data(other).model_dump(), "identity": images(tmp_path, "train").identity.name}
        make_network(tmp_path, "b", 1, data=apart)
        one, two = grouped(tmp_path, "ab")
        for group, digest in ((one, images(tmp_path, "train").sha256), (two, other.sha256)):
            (note,) = group.notes
            assert note.startswith("trained on ")
            assert note.endswith(f" ({digest[:8]})")


class TestStart:
    @pytest.mark.parametrize(
        ("starts", "notes"),
        [
            (({"drawn_from_seed": 0}, {"drawn_from_seed": 1}), [()]),
            (({"name": "p", "sha256": "1" * 64}, {"name": "q", "sha256": "1" * 64}), [()]),
            (
                ({"name": "p", "sha256": "1" * 64}, {"drawn_from_seed": 1}),
                [("begun with p",), ("begun with weights drawn from the seed",)],
            ),
            (
                ({"name": "p", "sha256": "1" * 64}, {"name": "p", "sha256": "2" * 64}),
                [("begun with p (11111111)",), ("begun with p (22222222)",)],
            ),
        ],
        ids=["drawn", "one of two names", "drawn and loaded", "two of one name"],
    )
    def test_networks_that_began_with_other_weights_are_no_seeds(
        self, tmp_path: Path, starts: tuple[dict[str, Any], ...], notes: list[tuple[str, ...]]
    ) -> None:
        for seed, (name, start) in enumerate(zip("ab", starts, strict=True)):
            make_network(tmp_path, name, seed, start=start)
        assert [group.notes for group in grouped(tmp_path, "ab")] == notes

    def test_checksums_that_begin_alike_are_told_apart(self, tmp_path: Path) -> None:
        for seed, name in enumerate("ab"):
            make_network(tmp_path, name, seed, start={"name": "p", "sha256": f"{seed:064}"})
        assert len(grouped(tmp_path, "ab")) == 2

    def test_a_training_of_which_nothing_is_known_is_no_seed_of_another(self, tmp_path: Path) -> None:
        for seed, name in enumerate("ab"):
            make_network(tmp_path, name, seed)
        (tmp_path / "weights" / "b.json").unlink()
        one, two = grouped(tmp_path, "ab")
        assert "begun with weights drawn from the seed" in one.notes
        assert "begun with unknown weights" in two.notes

    def test_other_random_numbers_are_no_other_seed(self, tmp_path: Path) -> None:
        for seed, (name, generation) in enumerate((("a", 2), ("b", 1))):
            make_network(tmp_path, name, seed, generation=generation)
        assert [group.notes for group in grouped(tmp_path, "ab")] == [("generation 2",), ("generation 1, 2",)]


class TestCopies:
    def test_a_copy_counts_once_and_is_told(self, tmp_path: Path) -> None:
        for name, seed in (("a", 0), ("b", 1), ("c", 0)):
            make_network(tmp_path, name, seed)
        (group,) = grouped(tmp_path, "abc")
        (two,) = grouped(tmp_path, "ab")
        assert group.names == ("a", "b")
        assert group.notes == group.copies == ("without c: the weights of a",)
        assert group.mean_and_sd("average") == two.mean_and_sd("average")
        assert two.copies == ()

    def test_a_network_and_its_copy_have_no_deviation_over_seeds(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in "ac":
            make_network(tmp_path, name)
        (group,) = grouped(tmp_path, "ac")
        assert group.mean_and_sd("average")[1] is None
        show_scores(scores_of(tmp_path, "ac"), as_json=False)
        told = capsys.readouterr()
        assert "the mean is without c: the weights of a" in " ".join(told.err.split())
        assert "of one network" in told.out
        assert "standard deviation 0" not in told.out

    def test_figure_and_report_tell_of_them(self, tmp_path: Path) -> None:
        for name, seed in (("a", 0), ("b", 1), ("c", 0)):
            make_network(tmp_path, name, seed)
        place = Workdir(tmp_path)
        axes = comparison([TrainedNetwork(place, name) for name in "abc"]).axes[0]
        (label,) = [one.get_text() for one in axes.get_yticklabels()]
        assert label.split("\n") == ["a and 1 more seed", "without c: the weights of a"]
        page = render(gather(place, ["a", "b", "c"]))
        assert "A copy of a network is no other seed: without c: the weights of a." in page


def test_a_report_tells_images_of_one_name_apart(tmp_path: Path) -> None:
    record_on(tmp_path, "a", 0, 1, 2)
    record_on(tmp_path, "b", 1, 1, 9)
    scores = scores_of(tmp_path, "ab")
    page = render(gather(Workdir(tmp_path), ["a", "b"]))
    for score in scores:
        assert score.test.record is not None
        assert f"data own.npz ({score.test.record.data.sha256[:8]})" in page
    assert "mean ± standard deviation over seeds" not in page


def test_the_mean_of_several_networks_is_refused_where_their_images_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_on(tmp_path, "a", 0, 1, 2)
    record_on(tmp_path, "b", 1, 1, 9)
    show_scores(scores_of(tmp_path, "ab"), as_json=False)
    assert "no mean over seeds: the networks differ in data" in " ".join(capsys.readouterr().err.split())
