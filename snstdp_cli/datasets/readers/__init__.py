"""Readers of the files in which people hold images: one module a format, each from a path to a `Reading`."""

from snstdp_cli.datasets.readers.detection import EXPECTED, FORMATS, read_once, read_path
from snstdp_cli.datasets.readers.folders import describe_folder, only_archive
from snstdp_cli.datasets.readers.groups import folders_in
from snstdp_cli.datasets.readers.labels import number_classes, shown_name
from snstdp_cli.datasets.readers.reading import Labelled, Pixels, Reading

__all__ = [
    "EXPECTED",
    "FORMATS",
    "Labelled",
    "Pixels",
    "Reading",
    "describe_folder",
    "folders_in",
    "number_classes",
    "only_archive",
    "read_once",
    "read_path",
    "shown_name",
]
