"""Modification and anonymization: ``/modify``, ``/anonymize``, ``/tools/bulk-…``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.changing.modification import IDENTIFIERS, PATIENT_ID, PATIENT_NAME
from orthanc_lab.dicom.changing.modification_request import ModificationRequest, boolean_member, string_member
from orthanc_lab.dicom.changing.uid_map import UidMap
from orthanc_lab.dicom.codecs.transcoding import transcode
from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.dicom.files.write import write_file
from orthanc_lab.jobs.kinds.rewriting.modification import ModificationJob, ModificationPlan
from orthanc_lab.jobs.kinds.rewriting.rewrite_job import Sources
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.transfer_syntaxes import is_known
from orthanc_lab.rest.http.answers import EmptyAnswer, unknown_resource
from orthanc_lab.rest.http.bodies import boolean_field, job_fields, read_object
from orthanc_lab.rest.http.origin import origin_of
from orthanc_lab.rest.http.submission import submit_job
from orthanc_lab.rest.making.patient_tags import check_patient_tags
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "BulkModification", "InstanceModification", "ResourceModification", "string_list"]

_COUNTER = "AnonymizationSequence"
_KEEPING = "When keeping StudyInstanceUID, SeriesInstanceUID and SOPInstanceUID tag, you must "
_IN_PLACE = (
    f"{_KEEPING}have the 'OverwriteInstances' Orthanc configuration set to true "
    "in order to replace the modified resources"
)
_WOULD_DELETE = f"{_KEEPING}set KeepSource to true to avoid deleting the modified files at the end of the process"
_UIDS = frozenset(tag for tag, level in IDENTIFIERS.items() if level is not Level.PATIENT)


class InstanceModification:
    """One instance: the answer is the new DICOM file, which is not stored."""

    def __init__(self, services: Services, *, anonymization: bool) -> None:
        self._services = services
        self._anonymization = anonymization
        self._tools = services.job_tools

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the modified or anonymized file."""
        body = read_object(req)
        request = _named(self._services, ModificationRequest(body, self._anonymization), self._tools.dictionary)
        rules = request.rules(self._tools.dictionary)
        syntax, quality = self._transcoding(body)
        storage = self._services.storage
        if storage.find_level(id) is not Level.INSTANCE:
            raise unknown_resource()
        file = read_file(storage.read_dicom(id), self._tools.dictionary, memory=self._services.memory)
        values = self._tools.values(request.private_creator)
        data_set = rules.apply(file.data_set, UidMap(self._services.identifiers.uuid()), values)
        if syntax is None and rules.spoils_pixels(data_set, file.transfer_syntax):
            raise EmptyAnswer(400)
        dicom: bytes | None = write_file(data_set, file.transfer_syntax)
        if syntax is not None and dicom is not None:
            dicom = transcode(
                dicom,
                syntax,
                self._tools.dictionary,
                quality=quality,
                identifiers=self._services.identifiers,
                turn=self._tools.transcoding,
            )
        if dicom is None:
            raise OrthancError(ErrorCode.INTERNAL_ERROR, f"Cannot transcode to transfer syntax: {syntax}")
        resp.content_type = "application/dicom"
        resp.data = dicom

    def _transcoding(self, body: dict[str, Any]) -> tuple[str | None, int]:
        quality = self._services.settings["DicomLossyTranscodingQuality"]
        syntax = string_member(body, "Transcode")
        if syntax is None:
            return None, quality
        if not is_known(syntax):
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f"Unknown transfer syntax: {syntax}")
        if "LossyQuality" in body:
            quality = body["LossyQuality"]
            if type(quality) is not int:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Integer value expected in field: LossyQuality")
            if quality < 0:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Unsigned integer value expected in field: LossyQuality")
        return syntax, min(max(quality, 1), 100)


class _JobRoute:
    """What the calls have in common that answer with a job."""

    def __init__(self, services: Services, anonymization: bool) -> None:
        self._services = services
        self._anonymization = anonymization
        self._tools = services.job_tools

    def _submit(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        request: ModificationRequest,
        listed: Callable[[], list[str]],
        shown_level: Level | None,
    ) -> None:
        """Make the job and hand it to the engine; `listed` returns the resources, once the rules are checked."""
        request = _named(self._services, request, self._tools.dictionary)
        rules = request.rules(self._tools.dictionary)
        settings, storage = self._services.settings, self._services.storage
        parents = sorted(set(listed()))
        keep_source = boolean_field(dict(request.body), "KeepSource", True)
        plan = ModificationPlan(
            request=request,
            secret=self._services.identifiers.uuid(),
            parents=parents,
            shown_level=shown_level,
            transcode=_transcode_of_job(request.body),
            quality=settings["DicomLossyTranscodingQuality"],
        )
        if any(storage.find_level(id) is None for id in parents):
            raise unknown_resource()
        if rules.level.depth <= Level.STUDY.depth and rules.kept >= _UIDS and PATIENT_ID not in rules.replaced:
            if not keep_source:
                raise OrthancError(ErrorCode.BAD_REQUEST, _WOULD_DELETE)
            if not settings["OverwriteInstances"]:
                raise OrthancError(ErrorCode.BAD_REQUEST, _IN_PLACE)
        instances = sorted({id for parent in parents for id in storage.descendants(parent, Level.INSTANCE)})
        if not self._anonymization and rules.level is Level.STUDY:
            for parent in parents:
                check_patient_tags(storage, rules, parent)
        fields = job_fields(request.body)
        keep_labels = boolean_member(request.body, "KeepLabels")
        sources = Sources(instances, origin_of(req), keep_source, fields.permissive, keep_labels)
        submit_job(req, resp, self._services, fields, ModificationJob(self._tools, sources, plan))


class ResourceModification(_JobRoute):
    """A patient, study or series; the level in the URI is that of the outcome, not of the identifier."""

    def __init__(self, services: Services, level: Level, *, anonymization: bool) -> None:
        super().__init__(services, anonymization)
        self._level = level

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the new resource, or its job."""
        request = ModificationRequest(read_object(req), self._anonymization, self._level)
        self._submit(req, resp, request, lambda: [id], self._level)


class BulkModification(_JobRoute):
    """Resources of any level at once."""

    def __init__(self, services: Services, *, anonymization: bool) -> None:
        super().__init__(services, anonymization)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer all new resources, or the job."""
        body = read_object(req)
        level = None
        ModificationRequest(body, self._anonymization).rules(self._tools.dictionary)  # its errors come first
        if "Level" in body and not self._anonymization:
            if not isinstance(body["Level"], str):
                raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
            level = Level.parse(body["Level"])
        request = ModificationRequest(body, self._anonymization, level)
        self._submit(req, resp, request, lambda: string_list(body, "Resources"), None)


def _named(services: Services, request: ModificationRequest, names: Dictionary) -> ModificationRequest:
    """Return a checked request; an anonymization that needs one has the next name of a patient.

    Raises
    ------
    OrthancError
        As `ModificationRequest.rules`: a request that is refused uses up no name.
    """
    placeholder = services.identifiers.uuid()
    rules = replace(request, patient_name=placeholder).rules(names)
    if rules.replaced.get(PATIENT_NAME) != placeholder:
        return request
    return replace(request, patient_name=f"Anonymized{services.storage.next_number(_COUNTER)}")


def _transcode_of_job(body: Any) -> str | None:
    syntax = string_member(body, "Transcode")
    if syntax is not None and not is_known(syntax):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"Unknown transfer syntax UID: {syntax}")
    return syntax


def string_list(body: Any, name: str) -> list[str]:
    """Return a list of texts in a body.

    Raises
    ------
    OrthancError
        15 ``List of strings expected in field: NAME``.
    """
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"List of strings expected in field: {name}")
    return value


_LEVELS = (Level.PATIENT, Level.STUDY, Level.SERIES)
_CALLS = (("modify", False), ("anonymize", True))

ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    *((f"/instances/{{id}}/{call}", partial(InstanceModification, anonymization=kind)) for call, kind in _CALLS),
    *(
        (f"/{level.plural}/{{id}}/{call}", partial(ResourceModification, level=level, anonymization=kind))
        for level in _LEVELS
        for call, kind in _CALLS
    ),
    *((f"/tools/bulk-{call}", partial(BulkModification, anonymization=kind)) for call, kind in _CALLS),
)
