"""Which back end the settings ask for."""

from __future__ import annotations

from orthanc_lab.protocol.ports import Settings
from orthanc_lab.server.back_ends.local import LocalBackEnd
from orthanc_lab.server.back_ends.port import BackEnd
from orthanc_lab.server.environment import Environment

__all__ = ["open_back_end"]


def open_back_end(settings: Settings, environment: Environment) -> BackEnd:
    """Return the back end: PostgreSQL if the section of this name enables its index, else SQLite and files.

    Raises
    ------
    OrthancError
        36 if the database cannot be reached, 11 if another server has locked it, 18 if it is too new.
    """
    section = settings["PostgreSQL"]
    if section.get("EnableIndex"):
        from orthanc_lab.server.back_ends.shared import SharedBackEnd  # noqa: PLC0415 - needs the extra ``cluster``

        return SharedBackEnd(settings, environment)
    return LocalBackEnd(settings, environment)
