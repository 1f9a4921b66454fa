"""The folder of WebDAV that takes files: what is put there is stored, and then gone from it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.rest.making.upload import store_upload
from orthanc_lab.rest.services import Services
from orthanc_lab.rest.webdav.nodes import Folder
from orthanc_lab.storage.records import Origin

__all__ = ["Uploads"]

_log = logging.getLogger("orthanc_lab.http")
_MOST_FOLDERS = 1000
_MOST_LETTERS = 1 << 20  # of the names of all folders
_NO_DICOM = (ErrorCode.BAD_FILE_FORMAT, ErrorCode.INEXISTENT_TAG, ErrorCode.BAD_PARAMETER_TYPE)

_Inside = dict[str, Any]
"""What is inside a folder: names of folders, each with what is inside that one."""


class Uploads:
    """Folders that file managers make for what they copy; they are kept until the server ends."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._root: _Inside = {}

    def folder(self) -> Folder:
        """Return the folder that takes files."""
        return self._folder("uploads", self._root)

    def _folder(self, name: str, inside: _Inside) -> Folder:
        return Folder(name, lambda: self._entries(inside))

    def _entries(self, inside: _Inside) -> list[Folder]:
        with self._lock:
            return [self._folder(name, inside[name]) for name in sorted(inside)]

    def _find(self, path: Sequence[str]) -> _Inside | None:
        """Return what is inside the folder at a path, None if there is none."""
        inside = self._root
        for name in path:
            if name not in inside:
                return None
            inside = inside[name]
        return inside

    def make_folder(self, path: Sequence[str]) -> bool:
        """Make a folder inside one that exists; False if that is not possible."""
        with self._lock:
            parent = self._find(path[:-1])
            if parent is None or path[-1] in parent:
                return False
            names = [*_names(self._root), path[-1]]
            if len(names) >= _MOST_FOLDERS or sum(map(len, names)) > _MOST_LETTERS:
                return False
            parent[path[-1]] = {}
            return True

    def remove_folder(self, path: Sequence[str]) -> bool:
        """Remove a folder with those inside; False if there is none."""
        with self._lock:
            parent = self._find(path[:-1]) if path else None
            return parent is not None and parent.pop(path[-1], None) is not None

    def store(self, path: Sequence[str], content: bytes) -> bool:
        """Store a DICOM file, or those of a ZIP archive; False if there is no folder for it.

        File managers put files of their own beside those that are copied; what is no DICOM file is
        thrown away without an error, as in Orthanc, so that the copying goes on.
        """
        with self._lock:
            parent = self._find(path[:-1])
            if parent is None or path[-1] in parent:
                return False
        try:
            if content:
                store_upload(self._services, content, Origin(request_origin="WebDav"))
        except OrthancError as error:
            if error.code not in _NO_DICOM:
                raise
            _log.warning("Cannot import DICOM instance from WebDAV (maybe not a DICOM file)")
        return True


def _names(inside: _Inside) -> Iterator[str]:
    """Yield the names of all folders inside one, at any depth."""
    waiting = [inside]
    while waiting:
        found = waiting.pop()
        yield from found
        waiting += found.values()
