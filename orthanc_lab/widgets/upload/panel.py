"""Uploading files from the browser's machine to a server."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets

from orthanc_lab.client import Client, ClientError, Instance, Resource, UploadInterruptedError, UploadReport
from orthanc_lab.widgets.code.spoken import named
from orthanc_lab.widgets.elements.drop_zone import DroppedFile, DropZone
from orthanc_lab.widgets.elements.table import Column, Table
from orthanc_lab.widgets.panel import Panel
from orthanc_lab.widgets.show_button import ShowButton

__all__ = ["UploadPanel"]

_COLUMNS = (Column("name", "Refused file"), Column("why", "Reason"))


class UploadPanel(Panel):
    """Uploads dropped DICOM files, folders and ZIP archives to the server, and lists what it refuses.

    Attributes
    ----------
    report
        `UploadReport` of the files that were dropped last.

    Examples
    --------
    >>> panel = UploadPanel(client)
    >>> panel.zone.label
    'Drop DICOM files, folders or ZIP archives here, or'
    >>> panel.report
    <Upload: 0 stored, 0 already there, 0 refused>
    """

    title = "Upload"

    def __init__(self, client: Client, **options: Any) -> None:
        super().__init__(client, **options)
        self.report = UploadReport()
        self._lock = threading.Lock()
        self._waiting: list[DroppedFile] = []
        self._drop = ""  # what the report is about
        self.zone = DropZone(
            label="Drop DICOM files, folders or ZIP archives here, or",
            takes_folders=True,
            on_file=self.take,
            on_refused=self.refuse,
        )
        self.refused = Table(_COLUMNS, label="Files that were refused")
        self.refused.layout.display = "none"
        self.show_button = ShowButton(self.act)
        self.body.children = [self.zone, ipywidgets.HBox([self.show_button]), self.refused]

    def poll(self) -> None:
        """Only check whether the server answers: nothing else about it is shown here."""
        self.poll_client.transport.get("/system")

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        return super().snapshot() + self.report._repr_html_()

    def take(self, file: DroppedFile) -> None:
        """Upload a file in the background, together with others that arrive in the meantime."""
        with self._lock:
            self._waiting.append(file)
            is_first = len(self._waiting) == 1
        if is_first:
            self.act("Uploading", self._upload)

    def refuse(self, name: str, words: str, drop: str = "") -> None:
        """List a file that was not even sent to the server: it is empty, or too large."""
        self._begin(drop).refused[name] = words
        self._show_refused()
        self.act("Uploading", self._counts)

    def _begin(self, drop: str) -> UploadReport:
        """Return the report of this drop; a new one with each drop."""
        with self._lock:
            if drop != self._drop:
                self._drop, self.report = drop, UploadReport()
                self.show_button.offer(None)
            return self.report

    def _upload(self) -> str | None:
        with self._lock:
            files, self._waiting = self._waiting, []
        whole = self._begin(files[-1].drop)
        try:
            self._note(whole, self._send_files(files), files)
        except UploadInterruptedError as error:
            self._note(whole, error.report, files)
            raise
        except ClientError:
            self._note(whole, UploadReport(), files)
            raise
        finally:
            for file in files:
                file.discard()
        return self._counts()

    def _send_files(self, files: list[DroppedFile]) -> UploadReport:
        paths = [named(file.path, repr(file.name)) for file in files]
        return self.code.client.upload(paths, progress=self._tell)

    def _counts(self) -> str:
        counts = f"{self.report.stored} new, {self.report.already_stored} already there"
        refused = len(self.report.refused)
        words = f"; {refused} {'file' if refused == 1 else 'files'} refused" if refused else ""
        return f"Instances: {counts}{words}."

    def _tell(self, dealt: int, files: int) -> None:
        self.status.say(f"Uploading: {dealt} of {files} files …")

    def _note(self, whole: UploadReport, report: UploadReport, files: list[DroppedFile]) -> None:
        whole.stored += report.stored
        whole.already_stored += report.already_stored
        for file in files:
            path = str(file.path)
            whole.refused.pop(file.name, None)
            if path in report.files:
                whole.files[file.name] = [*whole.files.get(file.name, []), *report.files[path]]
            if path in report.refused:
                whole.refused[file.name] = report.refused[path]
            elif path not in report.files:
                whole.refused[file.name] = "was not sent; drop it again"
        self._show_refused()
        self.show_button.offer(self._first_study if whole.files else None)

    def _first_study(self) -> Resource:
        instance = self.report.instances[0]
        return Instance(self.client.transport, instance).series.study

    def _show_refused(self) -> None:
        refused = self.report.refused
        self.refused.rows = [{"id": name, "name": name, "why": why} for name, why in refused.items()]
        self.refused.layout.display = "" if refused else "none"
