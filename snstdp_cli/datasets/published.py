"""The published data sets that have a name: MNIST, Fashion-MNIST, the bundled subset; checksums and digests of them.

MNIST and its kin have the same file names, so only the content tells them apart.
"""

from __future__ import annotations

from snstdp_cli.datasets.files import Split

NAMES = ("mnist", "fashion-mnist", "bundled")
#: As a reader knows them.
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "bundled": "the bundled subset of MNIST"}
#: What the classes of those data sets are called whose labels are no names themselves.
CLASS_NAMES = {
    "fashion-mnist": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )
}
#: SHA-256 of the published files, for downloads.
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
#: Digests (see `digest_of`) of images and labels, whatever files they lie in.
DIGESTS: dict[str, dict[Split, str]] = {
    "mnist": {
        "train": "7e59ac8a5816375b9562b977a87a70cf54d4c16e63518238bf1402a91211b525",
        "test": "b69c9657baa73cea1359a511f70970d5a9bfe744927151e61f60d0f15df2ff64",
    },
    "fashion-mnist": {
        "train": "4c566185e7e2b7bb29af361fcc4bf2f8bf8f804325827eb19688d95afcf7bd32",
        "test": "1d14692a38bd6918ff600673352a87fc05cef07184231b14bb4fc505ef431cb0",
    },
    "bundled": {
        "train": "ba9375f28917fba0501f752802cf7f68bc4837e8b52c85b697bd37481c8bedf2",
        "test": "289dd1188a257e80fa3e073291c137aef556e1cb0a8f78bee3354f2c59ac7e00",
    },
}


def name_of(digest: str, split: Split) -> str | None:
    """Return which known data set has this content as its training or test split; None if none has."""
    return next((name for name, digests in DIGESTS.items() if digests[split] == digest), None)
