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
def sealed_test_images(closed: bool = True) -> Iterator[None]:
    """Refuse every reading of test images, and of responses to them, in this context.

    Other threads are not affected.

    Parameters
    ----------
    closed
        With `False` nothing is refused that was not before.

    Examples
    --------
    >>> with sealed_test_images():
    ...     readable_splits()
    ('train',)
    """
    token = _SEALED.set(closed or _SEALED.get())
    try:
        yield
    finally:
        _SEALED.reset(token)


def readable_splits() -> tuple[Split, ...]:
    """Return the splits that may be read here."""
    return ("train",) if _SEALED.get() else get_args(Split)


def is_sealed(split: str) -> bool:
    """Tell whether the images of a split may not be read here, nor responses to them."""
    return split == "test" and _SEALED.get()


def refuse_sealed(split: str, what: str) -> None:
    """Raise `DataError` if the images of a split may not be read here.

    Parameters
    ----------
    what
        What was to be read, for the error.
    """
    if is_sealed(split):
        raise DataError(
            f"{what}: the test images stay closed while settings are chosen; score on validation images "
            "(evaluation.validation_examples), and run the chosen settings on the test images afterwards"
        )
