"""Patients, studies, series and instances as lightweight objects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orthanc_lab.client import display, known_fields
from orthanc_lab.client.archives import save_zip
from orthanc_lab.client.arguments import checked_fields
from orthanc_lab.client.content import dicom_tags
from orthanc_lab.client.download import save_stream
from orthanc_lab.client.errors import ClientError, ResponseError, reading
from orthanc_lab.client.jobs import Job
from orthanc_lab.client.progress import Follow
from orthanc_lab.client.resource import Resource, number_of
from orthanc_lab.client.selection import Selection, identifiers_of
from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol.levels import Level

if TYPE_CHECKING:
    import numpy as np
    import pydicom

    from orthanc_lab.client.volumes.volume import Volume

__all__ = ["Container", "Instance", "Patient", "Series", "Study", "made_by", "resource_at"]


class Container(Resource):
    """Common parts of patients, studies and series: their instances, archives, modification."""

    @property
    def instances(self) -> list[Instance]:
        """The instances it contains, by InstanceNumber."""
        found = Instance.listed(self._transport, self._transport.get(f"{self.path}/instances"))
        return sorted(found, key=lambda instance: instance.number)

    def archive(
        self,
        path: str | Path,
        *,
        transcode: str | None = None,
        progress: Follow = None,
        timeout: float | None = None,
        verify: bool = False,
    ) -> Path:
        """Stream a ZIP archive to a file, which appears under its name only once it is complete.

        Parameters
        ----------
        path
            A file, which is replaced if it exists; or a folder, where no file is replaced.
        transcode
            UID of a transfer syntax to transcode to.
        progress
            Called with the bytes received so far and the total, in place of a progress bar; False for neither.
        timeout
            Seconds to wait for the next part of it; None for five minutes, since it may queue behind other jobs.
        verify
            Compare the MD5 of each file with the one that the server has kept since the upload.

        Raises
        ------
        ConnectionLostError
            If the connection was lost before the end, again and again.
        DamagedDownloadError
            With `verify`, if a file is not what was uploaded.

        Examples
        --------
        >>> client.studies.find()[0].archive(folder / "study.zip").name
        'study.zip'
        """
        return self._stream("archive", path, transcode, progress=progress, timeout=timeout, verify=verify)

    def media(
        self,
        path: str | Path,
        *,
        transcode: str | None = None,
        extended: bool = False,
        progress: Follow = None,
        timeout: float | None = None,
        verify: bool = False,
    ) -> Path:
        """Stream a ZIP with a DICOMDIR to a file, like `archive`; `extended` adds SeriesDescription to the DICOMDIR."""
        options: dict[str, Any] = {"progress": progress, "timeout": timeout, "verify": verify}
        return self._stream("media", path, transcode, extended=extended, **options)

    def _stream(
        self, kind: str, path: str | Path, transcode: str | None, *, extended: bool = False, **options: Any
    ) -> Path:
        params = ({"transcode": transcode} if transcode else {}) | ({"extended": ""} if extended else {})
        address = f"{self.path}/{kind}"
        return save_zip(self._transport, "GET", address, path, transcode=transcode, params=params, **options)

    def archive_job(self, *, transcode: str | None = None, priority: int = 0) -> Job:
        """Make a ZIP archive in an asynchronous job: ``job.wait().download("x.zip")``."""
        return self._job("archive", {"Transcode": transcode} if transcode else {}, priority)

    def media_job(self, *, transcode: str | None = None, extended: bool = False, priority: int = 0) -> Job:
        """Make a ZIP with a DICOMDIR in an asynchronous job."""
        body: dict[str, Any] = {"Extended": extended}
        return self._job("media", body | ({"Transcode": transcode} if transcode else {}), priority)

    def modify(self, replace: Mapping[str, Any] | None = None, *, priority: int = 0, **fields: Any) -> Job:
        """Make a modified copy in a job.

        Parameters
        ----------
        replace
            New values by tag, like the tags of `Client.create_dicom`.
        priority
            Priority of the job.
        fields
            Other fields described in the Orthanc Book (``Remove``, ``Force`` …).

        Raises
        ------
        TypeError
            For a field that Orthanc does not know, and for a value that no tag can have.
        ResponseError
            If the server refuses it.

        Examples
        --------
        >>> job = client.studies.find()[0].modify({"StudyDescription": "Checked"})
        >>> client.made_by(job.wait())[0].StudyDescription
        'Checked'
        """
        given = _with_replace(replace, fields)
        own = ("replace", "priority")
        return self._job("modify", checked_fields("modify", given, known_fields.MODIFY, own), priority)

    def anonymize(self, *, priority: int = 0, **fields: Any) -> Job:
        """Make an anonymized copy in a job.

        Parameters
        ----------
        priority
            Priority of the job.
        fields
            Fields described in the Orthanc Book (``Keep``, ``Replace`` …).

        Raises
        ------
        TypeError
            For a field that Orthanc does not know, and for a value that no tag can have.
        ResponseError
            If the server refuses it.

        Examples
        --------
        >>> client.studies.find()[0].anonymize(Remov="StudyDate")
        Traceback (most recent call last):
        TypeError: anonymize() takes no 'Remov'; did you mean 'Remove'?
        """
        given = checked_fields("anonymize", fields, known_fields.ANONYMIZE, ("priority",))
        return self._job("anonymize", given, priority)


class Patient(Container):
    """A patient.

    Examples
    --------
    >>> patient = client.patients.find()[0]
    >>> patient.PatientID, patient.studies[0].PatientID, patient.protected
    ('PHANTOM-CT', 'PHANTOM-CT', False)
    """

    level = Level.PATIENT

    @property
    def studies(self) -> list[Study]:
        """Studies of the patient."""
        return Study.listed(self._transport, self._transport.get(f"{self.path}/studies"))

    @property
    def protected(self) -> bool:
        """Whether the patient is protected against recycling of the storage."""
        return self._transport.send("GET", f"{self.path}/protected").text == "1"

    @protected.setter
    def protected(self, value: bool) -> None:
        self._transport.send("PUT", f"{self.path}/protected", data="1" if value else "0")

    @property
    def summary(self) -> dict[str, str]:
        """Name, identifier, number of studies."""
        tags = self.tags
        return {
            "Name": tags.get("PatientName", ""),
            "PatientID": tags.get("PatientID", ""),
            "Studies": str(len(self.document["Studies"])),
        }


class Study(Container):
    """A study.

    Examples
    --------
    >>> study = client.studies.find()[0]
    >>> [series.Modality for series in study.series], study.patient.PatientID
    (['CT'], 'PHANTOM-CT')
    """

    level = Level.STUDY

    @property
    def series(self) -> list[Series]:
        """Series of the study, by SeriesNumber."""
        found = Series.listed(self._transport, self._transport.get(f"{self.path}/series"))
        return sorted(found, key=lambda series: number_of(series.tags.get("SeriesNumber")))

    @property
    def patient(self) -> Patient:
        """Patient of the study."""
        return Patient(self._transport, self.document["ParentPatient"])

    def split(self, series: Selection, *, priority: int = 0, **fields: Any) -> Job:
        """Move series into a new study, in a job.

        Parameters
        ----------
        series
            A series or its identifier, or several.
        priority
            Priority of the job.
        fields
            Other fields described in the Orthanc Book (``Replace``, ``Remove``, ``KeepSource`` …).

        Raises
        ------
        TypeError
            For a field that Orthanc does not know, and for what is no series.
        ResponseError
            If the server refuses it.

        Examples
        --------
        >>> study = client.studies.find()[0]
        >>> job = study.split(study.series[0], Replace={"StudyDescription": "Apart"}, KeepSource=True)
        >>> client.made_by(job.wait())[0].StudyDescription
        'Apart'
        """
        given = checked_fields("split", fields, known_fields.SPLIT, ("series", "priority"))
        return self._job("split", {"Series": identifiers_of(series), **given}, priority)

    def merge(self, resources: Selection, *, priority: int = 0, **fields: Any) -> Job:
        """Move other studies or series into this study, in a job.

        Parameters
        ----------
        resources
            A study or series, or its identifier, or several.
        priority
            Priority of the job.
        fields
            Other fields described in the Orthanc Book (``KeepSource`` …).

        Raises
        ------
        TypeError
            For a field that Orthanc does not know, and for what is no resource.
        ResponseError
            If the server refuses it.
        """
        given = checked_fields("merge", fields, known_fields.MERGE, ("resources", "priority"))
        return self._job("merge", {"Resources": identifiers_of(resources), **given}, priority)

    @property
    def summary(self) -> dict[str, str]:
        """Name of the patient, description, date, number of series."""
        tags = self.tags
        return {
            "Patient": tags.get("PatientName", ""),
            "Description": tags.get("StudyDescription", ""),
            "Date": tags.get("StudyDate", ""),
            "Series": str(len(self.document["Series"])),
        }

    def _card(self) -> str:
        rows = [list(series.summary.values()) for series in self.series]
        below = display.table(("Modality", "Series", "Number", "Instances"), rows)
        return display.card("Study", {"Identifier": self.id, **self.tags}, below=below)


class Series(Container):
    """A series.

    Examples
    --------
    >>> series = client.series.find(Modality="CT")[0]
    >>> len(series.instances), series.instances[0].number
    (20, 1)
    """

    level = Level.SERIES

    @property
    def study(self) -> Study:
        """Study of the series."""
        return Study(self._transport, self.document["ParentStudy"])

    def volume(
        self,
        *,
        rescale: bool = True,
        where: Mapping[str, Any] | None = None,
        strict: bool = True,
        progress: Follow = None,
    ) -> Volume:
        """Return the images as one array with its place in space; several are read at the same time.

        What the files do not say is not guessed: images at the same place, gaps, and images of other directions raise
        an error that names them.

        Parameters
        ----------
        rescale
            Whether to apply RescaleSlope and RescaleIntercept, so that the values of a CT are in Hounsfield units.
        where
            Elements that an image must have: ``{"EchoTime": 10}``, for a series that holds several volumes.
        strict
            False stacks images that form no grid all the same; the volume then has no affine, and says why.
        progress
            Called with the number of files read so far and the total, in place of a progress bar; False for neither.

        Raises
        ------
        VolumeError
            If there are no images, they form no grid, or they cannot be decoded.

        Examples
        --------
        >>> volume = client.series.find(Modality="CT")[0].volume()
        >>> volume.shape, volume.spacing, volume.units, volume.orientation
        ((20, 128, 128), (4.0, 1.875, 1.875), 'HU', 'SPL')
        """
        # It loads NumPy.
        from orthanc_lab.client.volumes.reading import Source, VolumeRequest, read_volume  # noqa: PLC0415

        request = VolumeRequest(rescale, where, strict, self.tags.get("SeriesDescription", ""))
        sources = [Source(instance.id, instance.path, instance.number) for instance in self.instances]
        return read_volume(self._transport, sources, request, progress)

    @property
    def summary(self) -> dict[str, str]:
        """Modality, description, number, number of instances."""
        tags = self.tags
        return {
            "Modality": tags.get("Modality", ""),
            "Description": tags.get("SeriesDescription", ""),
            "Number": tags.get("SeriesNumber", ""),
            "Instances": str(len(self.document["Instances"])),
        }

    def _card(self) -> str:
        below = self.document["Instances"]
        beside = Instance(self._transport, below[len(below) // 2]).thumbnail() if below else b""
        rows = {"Identifier": self.id, "Instances": len(below), **self.tags}
        return display.card("Series", rows, beside=display.picture(beside, "One image of the series"))


class Instance(Resource):
    r"""An instance: one DICOM file.

    Examples
    --------
    >>> instance = client.series.find(Modality="CT")[0].instances[0]
    >>> instance.frames, instance.all_tags["Modality"], instance.preview()[:4]
    (1, 'CT', b'\x89PNG')
    """

    level = Level.INSTANCE

    @property
    def series(self) -> Series:
        """Series of the instance."""
        return Series(self._transport, self.document["ParentSeries"])

    @property
    def number(self) -> int:
        """InstanceNumber, 0 if there is none."""
        return number_of(self.tags.get("InstanceNumber"))

    @property
    def all_tags(self) -> dict[str, Any]:
        """All tags in the file by keyword; sequences are lists."""
        return self._transport.object(f"{self.path}/simplified-tags")

    def file(self) -> bytes:
        """Return the DICOM file."""
        return bytes(self._transport.send("GET", f"{self.path}/file").content)

    def save(self, path: str | Path) -> Path:
        """Save the DICOM file; `path` is the file, or a folder, where no file is replaced."""
        return save_stream(self._transport, "GET", f"{self.path}/file", Path(path), suffix=".dcm")

    def dataset(self) -> pydicom.Dataset:
        """Return the DICOM file as a `pydicom.Dataset`.

        Its ``pixel_array`` reads lossless and 12-bit JPEG too, with the extra ``codecs``.

        Examples
        --------
        >>> client.series.find(Modality="CT")[0].instances[0].dataset().Modality
        'CT'
        """
        import io  # noqa: PLC0415

        import pydicom  # noqa: PLC0415 - slow to import

        from orthanc_lab.client import jpeg_decoder  # noqa: PLC0415

        jpeg_decoder.register()
        return pydicom.dcmread(io.BytesIO(self.file()))

    def preview(self, frame: int = 0) -> bytes:
        """Return a frame as PNG, stretched to the full range of gray."""
        return self._picture("preview", frame)

    def rendered(self, frame: int = 0, **parameters: Any) -> bytes:
        """Return a windowed frame as PNG.

        Parameters
        ----------
        frame
            Number of the frame, from 0.
        parameters
            ``window_center``, ``window_width``, ``width``, ``height``, ``smooth``.

        Raises
        ------
        TypeError
            For another parameter.
        ResponseError
            If the instance has no such frame, or the server cannot decode it.
        """
        given = checked_fields("rendered", parameters, known_fields.RENDER, ("frame",))
        named = {name.replace("_", "-"): value for name, value in given.items()}
        return self._picture("rendered", frame, named)

    def array(self, frame: int = 0, *, rescale: bool = True) -> np.ndarray[Any, np.dtype[Any]]:
        """Return the values of a frame with shape (rows, columns), or (rows, columns, 3) for a colour image.

        Parameters
        ----------
        frame
            Number of the frame, from 0.
        rescale
            Whether to apply RescaleSlope and RescaleIntercept, so that the values of a CT are in Hounsfield units.

        Raises
        ------
        ResponseError
            If the instance has no such frame, or the server cannot decode it.

        Examples
        --------
        >>> values = client.series.find(Modality="CT")[0].instances[0].array()
        >>> values.shape, int(values.min()) < -900  # air
        ((128, 128), True)
        """
        import io  # noqa: PLC0415

        import numpy as np  # noqa: PLC0415 - slow to import

        params = {"rescale": str(rescale).lower()}
        data = self._transport.send("GET", f"{self.path}/frames/{frame}/numpy", params=params).content
        with reading(self._transport.url, "an array"):
            values: np.ndarray[Any, np.dtype[Any]] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
            return values[:, :, 0] if values.shape[-1] == 1 else values

    def thumbnail(self, size: int = 128) -> bytes:
        """Return the middle frame as a PNG of at most `size` × `size` pixels; empty if there is no image.

        It is windowed as the instance says; without a window, its values are stretched to the full range of gray.
        """
        from orthanc_lab.client.thumbnails import NO_PICTURE, is_flat, scaled  # noqa: PLC0415 - slow to import

        try:
            frame = self.frames // 2
            windowed = self.rendered(frame, width=size, height=size)
            return scaled(self.preview(frame), size) if is_flat(windowed) else windowed
        except (ResponseError, *NO_PICTURE):
            return b""

    def _picture(self, kind: str, frame: int, params: Mapping[str, Any] | None = None) -> bytes:
        path = f"{self.path}/frames/{frame}/{kind}"
        return bytes(self._transport.send("GET", path, params=params, headers={"Accept": "image/png"}).content)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self._transport.array(f"{self.path}/frames"))

    def pdf(self) -> bytes:
        """Return the PDF document encapsulated in the instance."""
        return bytes(self._transport.send("GET", f"{self.path}/pdf").content)

    def save_pdf(self, path: str | Path) -> Path:
        """Save the PDF document encapsulated in the instance; `path` as for `save`."""
        return save_stream(self._transport, "GET", f"{self.path}/pdf", Path(path), suffix=".pdf")

    def modified(self, replace: Mapping[str, Any] | None = None, **fields: Any) -> bytes:
        """Return a modified copy as a DICOM file, which the server does not store; see `Study.modify`."""
        given = _with_replace(replace, fields)
        body = checked_fields("modified", given, known_fields.MODIFY_INSTANCE, ("replace",))
        return bytes(self._transport.send("POST", f"{self.path}/modify", json=body).content)

    def anonymized(self, **fields: Any) -> bytes:
        """Return an anonymized copy as a DICOM file, which the server does not store; see `Study.anonymize`."""
        body = checked_fields("anonymized", fields, known_fields.ANONYMIZE_INSTANCE)
        return bytes(self._transport.send("POST", f"{self.path}/anonymize", json=body).content)

    @property
    def summary(self) -> dict[str, str]:
        """Number, size in bytes, identifier."""
        return {
            "Number": self.tags.get("InstanceNumber", ""),
            "Bytes": f"{self.document['FileSize']:,}",
            "SOPInstanceUID": self.tags.get("SOPInstanceUID", ""),
        }

    def _card(self) -> str:
        rows = {"Identifier": self.id, "Size": f"{int(self.document['FileSize']):,} bytes", **self.tags}
        return display.card("Instance", rows, beside=display.picture(self.thumbnail(), "Thumbnail of the instance"))


def _with_replace(replace: Mapping[str, Any] | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "Replace": {**dicom_tags(replace or {}), **dicom_tags(fields.get("Replace", {}))}}


_KINDS: dict[Level, type[Resource]] = {kind.level: kind for kind in (Patient, Study, Series, Instance)}


def resource_at(transport: Transport, level: Level, id: str) -> Resource:
    """Return the resource object for a level."""
    return _KINDS[level](transport, id)


def made_by(transport: Transport, job: Job) -> list[Resource]:
    """Return the resources that a finished modification, anonymization, split or merge has created.

    Raises
    ------
    ClientError
        If it has created none, or has not succeeded yet.
    """
    content = job.content
    made = content.get("Resources") or ([content] if "Path" in content else [])
    found = [resource_at(transport, Level.parse(item["Path"].split("/")[1]), item["ID"]) for item in made]
    if "TargetStudy" in content:
        found.append(Study(transport, content["TargetStudy"]))
    if not found:
        raise ClientError(f"Job {job.id} ({job.type}, {job.state.value}) has created no resources")
    return found
