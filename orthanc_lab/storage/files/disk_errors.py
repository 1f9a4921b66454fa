"""What a failure of the place of the files is to a client."""

from __future__ import annotations

import errno

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.files.area import AreaError

__all__ = ["disk_error"]


def disk_error(error: OSError) -> OrthancError:
    """Return the error of Orthanc for a failure of the disk, or of the place of the files."""
    if isinstance(error, AreaError):
        code = ErrorCode.DATABASE_UNAVAILABLE if error.is_away else ErrorCode.STORAGE_AREA_PLUGIN
        return OrthancError(code, f"The storage area is not available: {error}")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OrthancError(ErrorCode.FULL_STORAGE)
    return OrthancError(ErrorCode.CANNOT_WRITE_FILE, f"Cannot write a file of the storage: {error.strerror or error}")
