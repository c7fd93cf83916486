"""What is known of MNIST and Fashion-MNIST: checksums of the published files, digests of images and labels.

Both have the same file names, so only the content tells them apart.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.files import find_file
from snstdp_cli.datasets.idx import read_idx
from snstdp_cli.errors import DataError

NAMES = ("mnist", "fashion-mnist", "bundled")
#: SHA-256 of the published files.
SHA256 = {
    "mnist": {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
}
#: Digests (as `Dataset.sha256`) of the images and labels that are known.
CONTENT = {
    "7e59ac8a5816375b9562b977a87a70cf54d4c16e63518238bf1402a91211b525": "mnist",
    "b69c9657baa73cea1359a511f70970d5a9bfe744927151e61f60d0f15df2ff64": "mnist",
    "ba9375f28917fba0501f752802cf7f68bc4837e8b52c85b697bd37481c8bedf2": "bundled",
    "289dd1188a257e80fa3e073291c137aef556e1cb0a8f78bee3354f2c59ac7e00": "bundled",
}


def digest_of(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of the images' shape, the pixels and the labels."""
    digest = hashlib.sha256("x".join(str(size) for size in images.shape).encode() + b"\n")
    digest.update(images.data)
    digest.update(labels.data)
    return digest.hexdigest()


def identify(folder: Path) -> str | None:
    """Return which known data set a folder holds, by its smaller split; None if it is another one or cannot be read."""
    for split in ("test", "train"):
        images, labels = find_file(folder, "images", split), find_file(folder, "labels", split)
        if images is None or labels is None:
            continue
        try:
            found = hashlib.sha256(images.read_bytes()).hexdigest()
            for name, files in SHA256.items():
                if found in files.values():
                    return name
            return CONTENT.get(digest_of(read_idx(images, "images"), read_idx(labels, "labels")))
        except (OSError, DataError):  # loading it says what is wrong
            return None
    return None


def is_other(name: str, known: str | None) -> bool:
    """Tell whether the content that was found is not that of a named data set; the bundled subset is MNIST."""
    return known is not None and known != name and (name, known) != ("mnist", "bundled")


def refuse_other_content(name: str, known: str | None, where: str) -> None:
    """Raise `DataError` if the content of `where` is that of another data set than the named one."""
    if is_other(name, known):
        raise DataError(
            f"{where}: these are the images of {known}, not of {name} (their files have the same names); "
            f"name the folder of {name} by --data-dir, or ask for --data {known}"
        )
