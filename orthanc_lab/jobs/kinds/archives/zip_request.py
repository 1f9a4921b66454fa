"""What decides the bytes of an archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orthanc_lab.jobs.kinds.archives.archive_plan import Plan
from orthanc_lab.protocol.timestamps import iso_seconds

__all__ = ["ZipRequest"]


@dataclass(frozen=True, slots=True)
class ZipRequest:
    """All that decides the bytes of an archive; fixed when the job is submitted."""

    plan: Plan
    filename: str  # for Content-Disposition
    written_at: datetime  # local time, naive; of every member
    seed: str  # of the identifiers made for this archive
    codec: str  # how members are deflated: isal or zlib …
    level: int  # … and at what level
    transcode: str | None = None  # UID of a transfer syntax
    quality: int = 90  # of lossy JPEG
    extended: bool = False  # SeriesDescription in a DICOMDIR

    def encode(self) -> dict[str, Any]:
        """Return the request as JSON values."""
        return {
            "plan": self.plan.encode(),
            "filename": self.filename,
            "written_at": iso_seconds(self.written_at),
            "seed": self.seed,
            "codec": self.codec,
            "level": self.level,
            "transcode": self.transcode,
            "quality": self.quality,
            "extended": self.extended,
        }

    @classmethod
    def decode(cls, saved: Mapping[str, Any]) -> ZipRequest:
        """Read back what `encode` returned."""
        fields = {
            name: saved[name] for name in ("filename", "seed", "codec", "level", "transcode", "quality", "extended")
        }
        written_at = datetime.strptime(saved["written_at"], "%Y%m%dT%H%M%S")  # local time, as in a ZIP
        return cls(plan=Plan.decode(saved["plan"]), written_at=written_at, **fields)
