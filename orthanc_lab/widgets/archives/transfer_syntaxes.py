"""Transfer syntaxes by name, and which of them a server can transcode to."""

from __future__ import annotations

from collections.abc import Collection

from orthanc_lab.client import Client, Instance, ResponseError

__all__ = ["NAMES", "choices", "possible"]

_NAMES = {
    "": "Implicit VR Little Endian",
    ".1": "Explicit VR Little Endian",
    ".1.99": "Deflated Explicit VR Little Endian",
    ".2": "Explicit VR Big Endian",
    ".4.70": "JPEG Lossless",
    ".4.57": "JPEG Lossless, Process 14",
    ".4.50": "JPEG Baseline (lossy)",
    ".4.51": "JPEG Extended (lossy)",
    ".4.80": "JPEG-LS Lossless",
    ".4.81": "JPEG-LS Near-Lossless (lossy)",
    ".4.90": "JPEG 2000 Lossless",
    ".4.91": "JPEG 2000 (lossy)",
    ".5": "RLE Lossless",
}
NAMES = {f"1.2.840.10008.1.2{end}": name for end, name in _NAMES.items()}
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
