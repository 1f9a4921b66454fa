"""What became of an upload."""

from __future__ import annotations

from dataclasses import dataclass, field

from orthanc_lab.client import display
from orthanc_lab.client.errors import ClientError

__all__ = ["UploadInterruptedError", "UploadReport"]


@dataclass
class UploadReport:
    """What became of an upload; hand it to `Client.upload` as `resume` to go on after an interruption.

    Attributes
    ----------
    files
        Name of each file that need not be sent again, and the Orthanc identifiers of its instances, in
        the order of the files.
    stored
        Number of instances that are new.
    already_stored
        Number of instances that the server had.
    refused
        Name of each file that the server did not take, or that cannot be read, and why.

    Examples
    --------
    >>> report = client.upload([samples.path("ct/soft_tissue"), b"no DICOM file"])
    >>> report
    <Upload: 0 stored, 20 already there, 1 refused>
      item 1: Bad file format: Cannot parse an invalid DICOM file (size: 13 bytes)
    >>> len(report.instances)
    20
    """

    files: dict[str, list[str]] = field(default_factory=dict)
    stored: int = 0
    already_stored: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def instances(self) -> list[str]:
        """Orthanc identifiers of what is at the server now, in the order of the files."""
        return [identifier for identifiers in self.files.values() for identifier in identifiers]

    def __repr__(self) -> str:
        words = "".join(f"\n  {name}: {why}" for name, why in list(self.refused.items())[:10])
        more = f"\n  … and {len(self.refused) - 10} more" if len(self.refused) > 10 else ""
        counts = f"{self.stored} stored, {self.already_stored} already there, {len(self.refused)} refused"
        return f"<Upload: {counts}>{words}{more}"

    def _repr_html_(self) -> str:
        return display.report_card(self)


class UploadInterruptedError(ClientError):
    """The upload cannot go on for the moment.

    Attributes
    ----------
    report
        How far it came.

    Examples
    --------
    >>> away = Client("http://127.0.0.1:1", retries=0)
    >>> try:
    ...     away.upload(samples.path("ct"))
    ... except UploadInterruptedError as error:
    ...     client.upload(samples.path("ct"), resume=error.report).stored
    11
    """

    def __init__(self, report: UploadReport, cause: BaseException) -> None:
        super().__init__(
            f"The upload was interrupted after {len(report.files)} files: {cause}\n"
            "Call client.upload(…, resume=error.report) to go on; what is stored is not sent again."
        )
        self.report = report
