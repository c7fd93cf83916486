"""MNIST and Fashion-MNIST are fetched by HTTPS and checked by SHA-256; no test reaches a network."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pooch
import pytest
from idx_files import FILES

from snstdp_cli.datasets import fetch_dataset, search_path
from snstdp_cli.datasets.fetching import MIRRORS
from snstdp_cli.datasets.published import SHA256
from snstdp_cli.errors import DataError

pytestmark = pytest.mark.usefixtures("places")


class Network:
    """Stands in for `pooch.retrieve`: mirrors whose address contains a word of `broken` fail."""

    def __init__(self, broken: tuple[str, ...] = (), error: Exception | None = None) -> None:
        self.broken, self.error, self.calls = broken, error or OSError("unreachable"), list[dict[str, Any]]()

    def __call__(self, **call: Any) -> str:
        self.calls.append(call)
        if any(word in call["url"] for word in self.broken):
            raise self.error
        return str(Path(call["path"]) / call["fname"])

    @property
    def urls(self) -> list[str]:
        return [call["url"] for call in self.calls]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[Network], Network]:
    def install(network: Network) -> Network:
        monkeypatch.setattr(pooch, "retrieve", network)
        return network

    return install


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_four_files_are_fetched_into_the_cache_from_the_first_mirror_by_https_with_known_hashes(
    places: Path, connect: Callable[[Network], Network], name: str
) -> None:
    network = connect(Network())
    folder = places / "cache" / "snstdp" / name
    assert fetch_dataset(name) == [folder / file for file in FILES]
    assert network.urls == [MIRRORS[name][0] + file for file in FILES]
    for call in network.calls:
        assert call["url"].startswith("https://")
        algorithm, _, digest = call["known_hash"].partition(":")
        assert algorithm == "sha256"
        assert len(bytes.fromhex(digest)) == 32
        assert not call["progressbar"]
    assert len({call["known_hash"] for call in network.calls}) == 4
    assert folder in search_path(name)


def test_the_second_mirror_is_asked_when_the_first_fails_and_comes_first_from_then_on(
    tmp_path: Path, connect: Callable[[Network], Network]
) -> None:
    network = connect(Network(broken=("googleapis",)))
    assert fetch_dataset("mnist", tmp_path / "new" / "folder") == [tmp_path / "new" / "folder" / f for f in FILES]
    first, second = MIRRORS["mnist"]
    assert network.urls == [first + FILES[0], *(second + file for file in FILES)]


@pytest.mark.parametrize(
    "error",
    [OSError("unreachable"), ValueError("SHA256 hash of downloaded file\n does not match the known hash"), Exception()],
    ids=["no network", "wrong hash", "anything"],
)
def test_when_all_mirrors_fail_the_error_says_why_and_what_to_do_by_hand(
    tmp_path: Path, connect: Callable[[Network], Network], error: Exception
) -> None:
    network = connect(Network(broken=("https",), error=error))
    with pytest.raises(DataError) as caught:
        fetch_dataset("fashion-mnist", tmp_path)
    message = str(caught.value)
    assert network.urls == [mirror + FILES[0] for mirror in MIRRORS["fashion-mnist"]]
    for url in network.urls:
        assert f"{url}: {' '.join(str(error).split()) or 'Exception'}\n" in message
    assert "put them into a folder and name it by --data-dir" in message
    assert all(file in message for file in FILES)


def test_a_file_of_the_same_name_and_other_content_is_not_replaced_in_a_named_folder(
    tmp_path: Path, connect: Callable[[Network], Network]
) -> None:
    network = connect(Network())
    (tmp_path / FILES[0]).write_bytes(b"mine")
    with pytest.raises(DataError, match=rf"{FILES[0]}: is there already, and not the published file of mnist"):
        fetch_dataset("mnist", tmp_path)
    assert network.calls == []


def test_a_published_file_that_is_there_is_accepted(
    tmp_path: Path, connect: Callable[[Network], Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(Network())
    monkeypatch.setitem(SHA256["mnist"], FILES[0], hashlib.sha256(b"published").hexdigest())
    (tmp_path / FILES[0]).write_bytes(b"published")
    assert len(fetch_dataset("mnist", tmp_path)) == 4


def test_a_damaged_file_in_the_cache_is_left_to_pooch_to_replace(
    places: Path, connect: Callable[[Network], Network]
) -> None:
    network = connect(Network())
    folder = places / "cache" / "snstdp" / "mnist"
    folder.mkdir(parents=True)
    (folder / FILES[0]).write_bytes(b"damaged")
    fetch_dataset("mnist")
    assert network.urls[0].endswith(FILES[0])


def test_a_target_that_cannot_be_a_folder_is_refused(tmp_path: Path, connect: Callable[[Network], Network]) -> None:
    network = connect(Network())
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot be used as a folder for mnist: .*; choose another one"):
        fetch_dataset("mnist", tmp_path / "file")
    with pytest.raises(DataError, match="cannot be used as a folder"):
        fetch_dataset("mnist", Path("a\0b"))
    assert network.calls == []


def test_the_bundled_subset_need_not_be_fetched(connect: Callable[[Network], Network]) -> None:
    network = connect(Network())
    with pytest.raises(DataError, match="nothing to fetch; expected: mnist or fashion-mnist"):
        fetch_dataset("bundled")
    assert network.calls == []
