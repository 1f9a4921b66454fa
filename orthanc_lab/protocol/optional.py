"""What stands on a package of an extra says which extra to install where it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["needs_extra"]


@contextmanager
def needs_extra(what: str, extra: str, *packages: str) -> Iterator[None]:
    """Import what stands on packages of an extra in this block.

    Parameters
    ----------
    what
        What cannot be done without them: the beginning of the message.

    Raises
    ------
    ModuleNotFoundError
        If one of these packages is not installed: with the command that installs the extra.

    Examples
    --------
    >>> with needs_extra("A DICOM node", "network", "pynetdicom"):
    ...     raise ModuleNotFoundError(name="pynetdicom")
    Traceback (most recent call last):
    ModuleNotFoundError: A DICOM node needs pynetdicom: pip install 'orthanc-lab[network]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in packages:
            raise
        words = f"{what} needs {package}: pip install 'orthanc-lab[{extra}]'"
        raise ModuleNotFoundError(words, name=package) from None
