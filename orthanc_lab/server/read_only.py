"""A storage that refuses to change anything (``ReadOnly``)."""

from __future__ import annotations

from typing import Any, NoReturn

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.ports import Storage

__all__ = ["ReadOnlyStorage"]

_DETAILS = "The DB is trying to execute a ReadWrite transaction while Orthanc has been started in ReadOnly mode."


def _refuse(*arguments: object, **named: object) -> NoReturn:
    raise OrthancError(ErrorCode.READ_ONLY, _DETAILS)


class ReadOnlyStorage:
    """The face of a storage without what writes: each such method raises 22."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    store = store_all = put_attachment = delete_attachment = compress_attachment = staticmethod(_refuse)
    set_metadata = delete_metadata = set_label = set_protected = delete = delete_all = staticmethod(_refuse)
    refresh_parents = reconstruct = staticmethod(_refuse)
    clear_changes = clear_exports = log_export = next_number = set_property = staticmethod(_refuse)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)
