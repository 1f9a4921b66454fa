"""pynetdicom is an extra: a call that needs it says so in words where it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

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
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "pynetdicom":
            raise
        text = "The DICOM network needs pynetdicom: pip install 'orthanc-lab[network]'"
        raise OrthancError(ErrorCode.NETWORK_PROTOCOL, text) from None
