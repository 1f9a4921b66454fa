"""What a browser does with a drop zone, and waiting for what comes of it."""

from __future__ import annotations

import uuid

from orthanc_lab.widgets import Panel
from orthanc_lab.widgets.elements.drop_zone import DropZone


def drop(zone: DropZone, name: str, content: bytes, chunk: int = 1_000_000, together: str = "") -> None:
    """Send a file to a zone, in chunks; files of one drop have the same name for it."""
    transfer = uuid.uuid4().hex
    for offset in range(0, len(content), chunk):
        head = {"kind": "chunk", "transfer": transfer, "name": name, "size": len(content), "offset": offset}
        zone.receive(head | {"drop": together}, [memoryview(content)[offset : offset + chunk]])


def settle(panel: Panel) -> None:
    """Wait for the end of what a panel does in the background."""
    panel._queue.submit(lambda: None).result()
