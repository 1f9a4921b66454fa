"""New identifiers in the place of old ones: the same old one always becomes the same new one."""

from __future__ import annotations

import hashlib
import uuid

from orthanc_lab.protocol.levels import Level

__all__ = ["UidMap"]


class UidMap:
    """The mapping of one job.

    New identifiers are computed, not remembered: from the old one and a secret that only the job
    knows. So the mapping needs no memory, survives a restart with its secret alone, and a step
    done twice gives the same file twice. Without the secret nothing leads back to the old ones.

    Parameters
    ----------
    secret
        Random text of at least 122 bits, such as a UUID v4.
    """

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def uid(self, level: Level, old: str) -> str:
        """Return the new UID (root 2.25, PS3.5 section B.2) of an old one.

        Parameters
        ----------
        level
            What is identified: references of any kind count as instances.
        """
        return f"2.25.{self._uuid(level, old).int}"

    def patient_id(self, old: str) -> str:
        """Return the new PatientID, in the form of a UUID v4."""
        return str(self._uuid(Level.PATIENT, old))

    def _uuid(self, level: Level, old: str) -> uuid.UUID:
        text = f"{self.secret}|{level.value}|{old}"
        return uuid.UUID(bytes=hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16], version=4)
