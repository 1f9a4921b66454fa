"""The four levels of the DICOM hierarchy, with the spellings that the REST API accepts."""

from __future__ import annotations

from enum import Enum

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Level"]


class Level(Enum):
    """A level of the DICOM hierarchy; the value is its name in JSON."""

    PATIENT = "Patient"
    STUDY = "Study"
    SERIES = "Series"
    INSTANCE = "Instance"

    depth: int
    """0 for a patient to 3 for an instance; also the number stored in the index."""

    __hash__ = object.__hash__  # each member is there once: a third of the time of `Enum`'s own

    def __init__(self, name: str) -> None:
        self.depth = len(type(self).__members__)

    @property
    def plural(self) -> str:
        """The name in URIs: ``patients``, ``studies``, ``series``, ``instances``."""
        return _PLURAL[self]

    @property
    def parent(self) -> Level | None:
        """The level above, None for a patient."""
        return LEVELS[self.depth - 1] if self.depth else None

    @property
    def child(self) -> Level | None:
        """The level below, None for an instance."""
        return LEVELS[self.depth + 1] if self.depth < 3 else None

    @classmethod
    def parse(cls, text: str) -> Level:
        """Parse a level as Orthanc does: in any case, singular or plural.

        Raises
        ------
        OrthancError
            3 ``Invalid resource type 'Foo'``.
        """
        level = _SPELLINGS.get(text.upper())
        if level is None:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f"Invalid resource type '{text}'")
        return level


LEVELS: tuple[Level, ...] = (Level.PATIENT, Level.STUDY, Level.SERIES, Level.INSTANCE)
_PLURAL = dict(zip(LEVELS, ("patients", "studies", "series", "instances"), strict=True))
_SPELLINGS = {level.value.upper(): level for level in LEVELS}
_SPELLINGS |= {plural.upper(): level for level, plural in _PLURAL.items()}
_SPELLINGS |= {"IMAGE": Level.INSTANCE, "IMAGES": Level.INSTANCE}
