"""The record of a kind of fault: what happens, when, and what a good client does about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["ALWAYS", "FaultKind", "Place", "When"]

ALWAYS = math.inf
"""As the number of times: whenever there is an occasion, until the fault is switched off."""

Place = Literal["HTTP", "jobs", "disk", "clock", "DICOM"]
When = Literal["at_byte", "at_step", "seconds"]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that can be switched on by its name.

    Examples
    --------
    >>> kind = faults.kinds["answer lost after the commit"]
    >>> print(kind.what)
    The request is carried out, and its connection is reset before the answer.
    >>> print(kind.good_client)
    Send the request again if that does no harm, as with an upload; otherwise check first whether it was done.
    """

    name: str
    place: Place
    what: str  # what happens
    good_client: str  # what a good client does about it
    occasions: str  # what is counted: "requests", "jobs" …
    where: tuple[str, ...] = ("*",)  # patterns of the occasions that count, unless it is told others
    times: float = 1  # how often it happens, unless it is told otherwise
    when: tuple[When, ...] = ()  # what else it can be told
    seconds: float = 0.0  # its default
