"""DICOM nodes as table rows, each with the light that an echo has lit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from orthanc_lab.client import ClientError, ResponseError
from orthanc_lab.client.network_advice import network_advice
from orthanc_lab.widgets.elements.table import Column, Tone

__all__ = ["NODE_COLUMNS", "Light", "light_of", "node_row"]

State = Literal["not tried", "asking", "answers", "fails"]

_SIGNS: dict[str, tuple[str, Tone]] = {
    "not tried": ("circle-o", "plain"),
    "asking": ("hourglass-start", "busy"),
    "answers": ("check-circle", "good"),
    "fails": ("times-circle", "bad"),
}

NODE_COLUMNS = (
    Column("light", "State", "badge", _SIGNS),
    Column("name", "Name"),
    Column("aet", "AE title"),
    Column("address", "Address"),
    Column("words", "Last echo", "words"),
)


@dataclass(frozen=True, slots=True)
class Light:
    """What the last echo of a node has shown."""

    state: State = "not tried"
    words: str = ""


def light_of(error: ClientError | None, at: datetime) -> Light:
    """Return the light after an echo; `error` is None if the node has answered."""
    if error is None:
        return Light("answers", f"{at:%H:%M:%S} UTC")
    return Light("fails", _reason(error))


def _reason(error: ClientError) -> str:
    if not isinstance(error, ResponseError):
        return str(error).partition("\n")[0]
    cause = error.details.rpartition(": ")[2] or error.text
    return f"{cause}. {network_advice(error.details)}".rstrip()


def node_row(name: str, options: Mapping[str, Any], light: Light) -> dict[str, Any]:
    """Return a node as a table row."""
    security = " (TLS)" if options.get("UseDicomTls") else ""
    return {
        "id": name,
        "light": light.state,
        "name": name,
        "aet": options.get("AET", ""),
        "address": f"{options.get('Host', '')}:{options.get('Port', '')}{security}",
        "words": light.words,
    }
