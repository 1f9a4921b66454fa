"""Transfer syntaxes by name, and which of them a server can transcode to."""

from __future__ import annotations

from collections.abc import Collection

from orthanc_lab.client import Client, Instance, ResponseError
from orthanc_lab.protocol.transfer_syntaxes import target_syntaxes

__all__ = ["NAMES", "choices", "possible"]

NAMES = {syntax.uid: syntax.name for syntax in target_syntaxes()}
"""Names of the transfer syntaxes that Orthanc may transcode to, by UID."""

_LARGEST = 8_000_000  # bytes; larger instances would take too long to try


def choices(uids: Collection[str]) -> list[tuple[str, str]]:
    """Return the options for a menu; the first leaves the files unchanged."""
    return [("As stored", ""), *((name, uid) for uid, name in NAMES.items() if uid in uids)]


def possible(client: Client, instance: Instance) -> list[str]:
    """Return the UIDs that the server can transcode an instance to.

    Orthanc does not list them, and adds a file unchanged to an archive if it cannot transcode it, so each is tried.
    For a very large instance, all are returned untried.

    Examples
    --------
    >>> uids = possible(client, client.series.find(Modality="CT")[0].instances[0])
    >>> [NAMES[uid] for uid in uids][:2]
    ['Implicit VR Little Endian', 'Explicit VR Little Endian']
    """
    if int(instance.document["FileSize"]) > _LARGEST:
        return list(NAMES)
    return [uid for uid in NAMES if _can(client, instance, uid)]


def _can(client: Client, instance: Instance, uid: str) -> bool:
    try:
        with client.transport.stream("GET", f"{instance.path}/file", params={"transcode": uid}):
            return True
    except ResponseError:
        if not instance.exists():
            raise
        return False
