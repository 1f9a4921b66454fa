"""New identifiers in the place of old ones: the same old one always becomes the same new one."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping

from orthanc_lab.protocol.levels import Level

__all__ = ["UidMap"]

_UID = re.compile(r"2\.25\.([0-9]{1,39})\Z", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)


class UidMap:
    """The mapping of one job.

    New identifiers are computed, not stored: from the old one and a secret that only the job
    knows. So the mapping needs no memory, survives a restart with its secret alone, and a step
    done twice gives the same file twice. Without the secret nothing leads back to the old ones.
    An identifier that the mapping has made is left as it is: a file that was replaced by its own
    anonymization is not changed once more.

    Parameters
    ----------
    secret
        Random text of at least 122 bits, such as a UUID v4.
    assigned
        New UIDs that were chosen, by what they identify and the old UID.
    """

    def __init__(self, secret: str, assigned: Mapping[tuple[Level, str], str] | None = None) -> None:
        self.secret = secret
        self._assigned = assigned or {}

    def uid(self, level: Level, old: str) -> str:
        """Return the new UID (root 2.25, PS3.5 section B.2) of an old one.

        Parameters
        ----------
        level
            What is identified: references of any kind count as instances.
        """
        assigned = self._assigned.get((level, old))
        if assigned is not None:
            return assigned
        match = _UID.match(old)
        if match is not None and self._is_own(int(match[1])):
            return old
        return f"2.25.{self._new(level, old).int}"

    def patient_id(self, old: str) -> str:
        """Return the new PatientID, in the form of a UUID v4."""
        if _UUID.match(old) and self._is_own(uuid.UUID(old).int):
            return old
        return str(self._new(Level.PATIENT, old))

    def _new(self, level: Level, old: str) -> uuid.UUID:
        head = bytearray(self._hash(level.value, old.encode("utf-8", "surrogatepass")))
        head[6] = head[6] & 0x0F | 0x40  # version 4 (RFC 9562 section 5.4)
        return uuid.UUID(bytes=bytes(head) + self._mark(bytes(head)))

    def _is_own(self, number: int) -> bool:
        if number >= 1 << 128:
            return False
        whole = number.to_bytes(16, "big")
        return whole[8:] == self._mark(whole[:8])

    def _mark(self, head: bytes) -> bytes:
        """Return the second half of an identifier, which proves whose it is."""
        mark = bytearray(self._hash("mark", head))
        mark[0] = mark[0] & 0x3F | 0x80  # variant
        return bytes(mark)

    def _hash(self, purpose: str, data: bytes) -> bytes:
        return hashlib.sha256(f"{self.secret}|{purpose}|".encode() + data).digest()[:8]
