"""The report of an upload."""

from __future__ import annotations

from dataclasses import dataclass, field

from orthanc_lab.client import display
from orthanc_lab.client.errors import ClientError
from orthanc_lab.protocol.visible import visible

__all__ = ["UploadInterruptedError", "UploadReport"]


@dataclass
class UploadReport:
    """The result of an upload; pass it to `Client.upload` as `resume` to continue after an interruption.

    Attributes
    ----------
    files
        The name of each file that need not be sent again, with the Orthanc identifiers of its instances,
        in the order of the files.
    stored
        Number of new instances.
    already_stored
        Number of instances that the server already had.
    refused
        The name of each file that the server refused, or that cannot be read, with the reason.

    Examples
    --------
    >>> report = client.upload([samples.path("ct/soft_tissue"), b"not DICOM at all"])
    >>> report
    <Upload: 0 stored, 20 already there, 1 refused>
      item 1: Bad file format: Cannot parse an invalid DICOM file (size: 16 bytes)
    >>> len(report.instances)
    20
    """

    files: dict[str, list[str]] = field(default_factory=dict)
    stored: int = 0
    already_stored: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def instances(self) -> list[str]:
        """Orthanc identifiers of the instances now on the server, in the order of the files."""
        return [identifier for identifiers in self.files.values() for identifier in identifiers]

    def __repr__(self) -> str:
        words = "".join(f"\n  {name}: {why}" for name, why in list(self.refused.items())[:10])
        more = f"\n  … and {len(self.refused) - 10} more" if len(self.refused) > 10 else ""
        counts = f"{self.stored} stored, {self.already_stored} already there, {len(self.refused)} refused"
        return visible(f"<Upload: {counts}>{words}{more}")

    def _repr_html_(self) -> str:
        rows = {"Stored": self.stored, "Already there": self.already_stored, "Refused": len(self.refused)}
        refused = display.table(("File", "Reason"), self.refused.items()) if self.refused else ""
        return display.card("Upload", rows, below=refused)


class UploadInterruptedError(ClientError):
    """The upload cannot continue for now.

    Attributes
    ----------
    report
        What was uploaded before the interruption.

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
            f"The upload was interrupted after {display.counted(len(report.files), 'file', 'files')}: {cause}\n"
            "To continue, call client.upload(…, resume=error.report); stored files are not sent again."
        )
        self.report = report
