"""Orthanc's identifiers of resources (Orthanc Book, "Orthanc identifiers")."""

from __future__ import annotations

from hashlib import sha1

__all__ = ["orthanc_id"]


def orthanc_id(*parts: str) -> str:
    """Return the Orthanc identifier of a resource: the SHA-1 of its DICOM identifiers.

    Parameters
    ----------
    parts
        PatientID, then StudyInstanceUID, SeriesInstanceUID and SOPInstanceUID, down to the level of the resource.

    Examples
    --------
    >>> orthanc_id("PHANTOM-CT")
    '46c6169e-b45184c2-568c2388-1f9e5593-6e89b736'
    """
    digest = sha1("|".join(parts).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:16]}-{digest[16:24]}-{digest[24:32]}-{digest[32:]}"
