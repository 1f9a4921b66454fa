"""Peers and DICOM nodes by name: how each is reached is kept in the database, or as configured in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from threading import Lock
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.storage.ports import PropertyKeeping

__all__ = ["NamedDefinitions", "check_name"]

_NAME = re.compile(r"[A-Za-z0-9_-]*")

_Definitions = dict[str, Any]


def check_name(name: str) -> None:
    """Refuse a name that is not made of letters, digits, ``-`` and ``_``.

    Raises
    ------
    OrthancError
        15 with Orthanc's words.
    """
    if not _NAME.fullmatch(name):
        text = "Only alphanumeric, dash characters and underscores are allowed in the names of modalities/peers"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"{text}, but found: {name}")


class NamedDefinitions:
    """The definitions of one kind, as JSON values.

    Parameters
    ----------
    option
        Which has those of the configuration.
    in_database
        Whether they are kept in the database instead.
    """

    def __init__(self, option: str, settings: Settings, storage: PropertyKeeping, *, in_database: bool) -> None:
        self._option = option
        self._settings = settings
        self._storage = storage
        self._in_database = in_database
        self._lock = Lock()

    def all(self) -> _Definitions:
        """Return all of them by name."""
        if self._in_database:
            return _read(self._storage.get_property(self._option))
        found: _Definitions = self._settings[self._option]
        return found

    def put(self, name: str, definition: Any) -> None:
        """Add or replace one.

        Raises
        ------
        OrthancError
            15 for an impossible name.
        """
        check_name(name)
        self._change(lambda definitions: {**definitions, name: definition})

    def remove(self, name: str, unknown: str) -> None:
        """Remove one.

        Parameters
        ----------
        unknown
            The details of the error if there is none by this name.

        Raises
        ------
        OrthancError
            7 for an unknown one.
        """

        def without(definitions: _Definitions) -> _Definitions:
            if name not in definitions:
                raise OrthancError(ErrorCode.INEXISTENT_ITEM, unknown)
            return {other: definition for other, definition in definitions.items() if other != name}

        self._change(without)

    def _change(self, change: Callable[[_Definitions], _Definitions]) -> None:
        if self._in_database:  # other servers may change it, too
            self._storage.change_property(self._option, lambda text: json.dumps(change(_read(text))))
            return
        with self._lock:
            self._settings.change(self._option, change(self.all()))


def _read(text: str | None) -> _Definitions:
    found: _Definitions = json.loads(text or "{}")
    return found
