"""Resources of any levels, as a caller names them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeAlias

from orthanc_lab.client.arguments import several

__all__ = ["Identified", "Selection", "identifiers_of"]


class Identified(Protocol):
    """Anything that has an Orthanc identifier."""

    @property
    def id(self) -> str:
        """The identifier."""
        ...


Selection: TypeAlias = "Identified | str | Iterable[Identified | str]"
"""A resource or its identifier, or several, of any levels."""


def identifiers_of(selection: Selection) -> list[str]:
    """Return the identifiers, each once.

    Raises
    ------
    TypeError
        If one of them is neither a resource nor an identifier.
    """
    return list(dict.fromkeys(several(selection, "resources or their identifiers")))
