"""Faults as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orthanc_lab.widgets.elements.table import Column, Tone
from orthanc_lab.widgets.elements.toolbar import Tool
from orthanc_lab.widgets.faults.switchable import FaultInForce, KindOfFault

__all__ = ["FAULT_COLUMNS", "FAULT_TOOLS", "fault_row"]

_SIGNS: dict[str, tuple[str, Tone]] = {
    "on": ("bolt", "bad"),
    "over": ("check", "good"),
    "off": ("circle-o", "plain"),
}

FAULT_COLUMNS = (
    Column("state", "State", "badge", _SIGNS),
    Column("name", "Fault"),
    Column("place", "Of"),
    Column("happened", "Happened", "number"),
    Column("what", "What happens", "words"),
)

FAULT_TOOLS = (
    Tool("on", "Switch on", "bolt", "Switch the selected faults on, as the form says"),
    Tool("off", "Switch off", "stop", "Switch the selected faults off, or all if none is selected"),
)


def fault_row(kind: KindOfFault, in_force: Sequence[FaultInForce]) -> dict[str, Any]:
    """Return the row of a fault; it is over once it has happened as often as it was to."""
    own = [fault for fault in in_force if fault.name == kind.name]
    state = "off" if not own else "on" if any(fault.is_on for fault in own) else "over"
    return {
        "id": kind.name,
        "state": state,
        "name": kind.name,
        "place": kind.place,
        "happened": sum(fault.happened for fault in own) if own else None,
        "what": kind.what,
    }
