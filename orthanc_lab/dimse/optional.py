"""pynetdicom is an extra: a call that needs it says so in words where it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.optional import needs_extra

__all__ = ["needs_pynetdicom"]


@contextmanager
def needs_pynetdicom() -> Iterator[None]:
    """Import what stands on pynetdicom in this block.

    Raises
    ------
    OrthancError
        9 if pynetdicom is not installed.
    """
    try:
        with needs_extra("The DICOM network", "network", "pynetdicom"):
            yield
    except ModuleNotFoundError as error:
        if error.name != "pynetdicom":
            raise
        raise OrthancError(ErrorCode.NETWORK_PROTOCOL, str(error)) from None
