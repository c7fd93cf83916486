"""Data sets: MNIST, Fashion-MNIST, the bundled subset of MNIST, and the user's own images."""

from snstdp_cli.datasets.dataset import Dataset, from_arrays
from snstdp_cli.datasets.fetching import fetch_dataset
from snstdp_cli.datasets.files import Split
from snstdp_cli.datasets.fit import check_fit
from snstdp_cli.datasets.identity import Identity
from snstdp_cli.datasets.idx import read_idx
from snstdp_cli.datasets.in_memory import ArrayDataset
from snstdp_cli.datasets.joining import joined_names
from snstdp_cli.datasets.loading import load_dataset
from snstdp_cli.datasets.locating import DATA_VARIABLE, find_dataset, search_path
from snstdp_cli.datasets.npz import npz_bytes
from snstdp_cli.datasets.ordering import digest_of_order, order_images, read_order, stage_ends, stages_of
from snstdp_cli.datasets.parts import Part, load_part, part_of, places_in_training, split_of
from snstdp_cli.datasets.plausibility import doubts_of, plausibility
from snstdp_cli.datasets.preparation import prepare_pixels
from snstdp_cli.datasets.published import NAMES
from snstdp_cli.datasets.readers import Pixels
from snstdp_cli.datasets.sealing import is_sealed, refuse_sealed, sealed_test_images
from snstdp_cli.datasets.sources import sources_of
from snstdp_cli.datasets.suggestions import Suggestion
from snstdp_cli.datasets.suggestions import suggest as suggest_settings
from snstdp_cli.datasets.survey import Survey, survey
from snstdp_cli.datasets.unlabelled import Images, Pictures, images_from_array, load_images
from snstdp_cli.datasets.withholding import withhold

__all__ = [
    "DATA_VARIABLE",
    "NAMES",
    "ArrayDataset",
    "Dataset",
    "Identity",
    "Images",
    "Part",
    "Pictures",
    "Pixels",
    "Split",
    "Suggestion",
    "Survey",
    "check_fit",
    "digest_of_order",
    "doubts_of",
    "fetch_dataset",
    "find_dataset",
    "from_arrays",
    "images_from_array",
    "is_sealed",
    "joined_names",
    "load_dataset",
    "load_images",
    "load_part",
    "npz_bytes",
    "order_images",
    "part_of",
    "places_in_training",
    "plausibility",
    "prepare_pixels",
    "read_idx",
    "read_order",
    "refuse_sealed",
    "sealed_test_images",
    "search_path",
    "sources_of",
    "split_of",
    "stage_ends",
    "stages_of",
    "suggest_settings",
    "survey",
    "withhold",
]
