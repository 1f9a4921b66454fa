"""A storage that refuses to change anything (``ReadOnly``)."""

from __future__ import annotations

from typing import Any, NoReturn

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.ports import READING, Storage

__all__ = ["ReadOnlyStorage"]

_DETAILS = "The DB is trying to execute a ReadWrite transaction while Orthanc has been started in ReadOnly mode."
_ALLOWED = frozenset({"close"} | {name for role in READING for name in vars(role) if not name.startswith("_")})


def _refuse(*arguments: object, **named: object) -> NoReturn:
    raise OrthancError(ErrorCode.READ_ONLY, _DETAILS)


class ReadOnlyStorage:
    """The roles of a storage that read; every other method raises 22."""

    def __init__(self, storage: Storage) -> None:
        for name in _ALLOWED:
            setattr(self, name, getattr(storage, name))

    def __getattr__(self, name: str) -> Any:
        if hasattr(Storage, name):
            return _refuse
        raise AttributeError(name)
