"""Keep the test images closed while settings are searched: what was chosen by them could not be judged by them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import get_args

from snstdp_cli.datasets.files import Split
from snstdp_cli.errors import DataError

_SEALED: ContextVar[bool] = ContextVar("test images are sealed", default=False)


@contextmanager
def test_images_sealed() -> Iterator[None]:
    """Refuse every reading of test images, and of responses to them, in this context.

    Other threads are not affected.

    Examples
    --------
    >>> with test_images_sealed():
    ...     readable_splits()
    ('train',)
    """
    token = _SEALED.set(True)
    try:
        yield
    finally:
        _SEALED.reset(token)


def readable_splits() -> tuple[Split, ...]:
    """Return the splits that may be read here."""
    return ("train",) if _SEALED.get() else get_args(Split)


def refuse_sealed(split: str, what: str) -> None:
    """Raise `DataError` if the images of a split may not be read here.

    Parameters
    ----------
    what
        What was to be read, for the error.
    """
    if _SEALED.get() and split == "test":
        raise DataError(
            f"{what}: the test images stay closed while settings are chosen; score on validation images "
            "(evaluation.validation_examples), and run the chosen settings on the test images afterwards"
        )
