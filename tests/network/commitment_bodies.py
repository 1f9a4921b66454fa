"""Data sets of storage commitment, encoded by hand in Implicit VR Little Endian."""

from __future__ import annotations

from collections.abc import Sequence

from tests.network.identifiers import encoded

__all__ = ["CT", "MR", "information"]

CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
_TRANSACTION, _REFERENCED, _FAILED = "0008,1195", "0008,1199", "0008,1198"


def _item(sop_class: str | None, sop_instance: str) -> dict[str, str | int]:
    keys: dict[str, str | int] = {"0008,1155": sop_instance}
    return keys if sop_class is None else {"0008,1150": sop_class, **keys}


def information(
    transaction: str | None,
    *references: tuple[str | None, str],
    failures: Sequence[tuple[str, str, int]] = (),
    without_sequence: bool = False,
) -> bytes:
    """Return the information of an action or an event."""
    keys: dict[str, object] = {} if transaction is None else {_TRANSACTION: transaction}
    if not without_sequence:
        keys[_REFERENCED] = [_item(*reference) for reference in references]
    if failures:
        keys[_FAILED] = [{**_item(*failure[:2]), "0008,1197": failure[2]} for failure in failures]
    return encoded(keys)  # type: ignore[arg-type]
