"""The folder of WebDAV that takes files: what is put there is stored, and then gone from it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.rest.making.upload import store_upload
from orthanc_lab.rest.services import Services
from orthanc_lab.rest.webdav.nodes import Folder
from orthanc_lab.storage.records import Origin

__all__ = ["Uploads"]

_log = logging.getLogger("orthanc_lab.http")
_MOST_FOLDERS = 1000
_MOST_LETTERS = 1 << 20  # of the paths of all folders
_NO_DICOM = (ErrorCode.BAD_FILE_FORMAT, ErrorCode.INEXISTENT_TAG, ErrorCode.BAD_PARAMETER_TYPE)

_Path = tuple[str, ...]


class Uploads:
    """Folders that file managers make for what they copy; they are kept until the server ends."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._folders: set[_Path] = {()}

    def folder(self, path: _Path = ()) -> Folder:
        """Return the folder at a path, which is relative to this one."""
        return Folder(path[-1] if path else "uploads", lambda: self._inside(path))

    def _inside(self, path: _Path) -> list[Folder]:
        with self._lock:
            return [self.folder(other) for other in sorted(self._folders) if other and other[:-1] == path]

    def make_folder(self, path: Sequence[str]) -> bool:
        """Make a folder inside one that exists; False if that is not possible."""
        wanted = tuple(path)
        with self._lock:
            if wanted[:-1] not in self._folders or wanted in self._folders or len(self._folders) >= _MOST_FOLDERS:
                return False
            if sum(len(name) for folder in (*self._folders, wanted) for name in folder) > _MOST_LETTERS:
                return False
            self._folders.add(wanted)
            return True

    def remove_folder(self, path: Sequence[str]) -> bool:
        """Remove a folder with those inside; False if there is none."""
        wanted = tuple(path)
        with self._lock:
            if not wanted or wanted not in self._folders:
                return False
            self._folders = {folder for folder in self._folders if folder[: len(wanted)] != wanted}
            return True

    def store(self, path: Sequence[str], content: bytes) -> bool:
        """Store a DICOM file, or those of a ZIP archive; False if there is no folder for it.

        File managers put files of their own beside those that are copied; what is no DICOM file is
        thrown away without an error, as in Orthanc, so that the copying goes on.
        """
        wanted = tuple(path)
        with self._lock:
            if wanted[:-1] not in self._folders or wanted in self._folders:
                return False
        try:
            if content:
                store_upload(self._services, content, Origin(request_origin="WebDav"))
        except OrthancError as error:
            if error.code not in _NO_DICOM:
                raise
            _log.warning("Cannot import DICOM instance from WebDAV (maybe not a DICOM file)")
        return True
