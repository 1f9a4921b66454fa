"""What a failure of the place of the files is to a client."""

from __future__ import annotations

import errno
import logging

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.files.area import AreaError

__all__ = ["SCARCE", "disk_error", "read_error"]

_log = logging.getLogger("orthanc_lab")
SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors that are no fault of the disk, and soon over."""


def disk_error(error: OSError, *, shown: str = "") -> OrthancError:
    """Return the error of Orthanc for a failure of the disk, or of the place of the files.

    Parameters
    ----------
    shown
        The path, for who starts a server. Clients are not told where files are; the log is.
    """
    if isinstance(error, AreaError):
        code = ErrorCode.DATABASE_UNAVAILABLE if error.is_away else ErrorCode.STORAGE_AREA_PLUGIN
        return OrthancError(code, f"The storage area is not available: {error}")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OrthancError(ErrorCode.FULL_STORAGE, shown)
    if not shown and error.errno not in SCARCE:
        _log.error("Cannot write a file of the storage: %s", error)
    where = f" ({shown})" if shown else ""
    text = f"Cannot write a file of the storage{where}: {error.strerror or error}"
    return OrthancError(ErrorCode.CANNOT_WRITE_FILE, text)


def read_error(error: OSError) -> OrthancError:
    """Return the error of Orthanc for a file that is there, or may be, and cannot be read.

    It is not that of a file that has vanished: nobody may take the instance for one that was deleted.
    """
    if isinstance(error, AreaError):
        return disk_error(error)
    code = ErrorCode.DATABASE_UNAVAILABLE if error.errno in SCARCE else ErrorCode.CORRUPTED_FILE
    if code == ErrorCode.CORRUPTED_FILE:
        _log.error("Cannot read a file of the storage: %s", error)
    return OrthancError(code, f"Cannot read a file of the storage: {error.strerror or error}")
