"""Archives and media: ``/{level}/{id}/archive``, ``/media`` and ``/tools/create-…``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orthanc_lab.jobs.kinds.archives.archive import ArchiveJob
from orthanc_lab.jobs.kinds.archives.archive_plan import NamesFrom, Plan, plan_archive, plan_media
from orthanc_lab.jobs.kinds.archives.archive_tree import Node, resolve, tags_of_patient
from orthanc_lab.jobs.kinds.archives.media import MediaJob
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.rest.http.bodies import JobFields, job_fields, read_json
from orthanc_lab.rest.making.archive_options import ArchiveOptions, options_of_body, options_of_query, raw_arguments
from orthanc_lab.rest.making.zip_answers import ZipAnswers
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import AttachmentType

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "ArchiveOfMany", "ArchiveOfOne"]

_AT_ONCE = JobFields(synchronous=True, priority=0, permissive=False)
_NO_LIST = "Expected a list of resources to archive in the body"


class ArchiveOfOne:
    """The archive or medium of one patient, study or series."""

    def __init__(self, services: Services, level: Level, *, media: bool) -> None:
        self._services = services
        self._level = level
        self._media = media
        self._answers = ZipAnswers(services, MediaJob if media else ArchiveJob)

        @lru_cache(maxsize=1024)
        def patient_of(instance: str, file: str, encoding: str) -> Mapping[str, str] | None:
            return tags_of_patient(services.storage, instance, encoding)

        self._patient_of = patient_of

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the ZIP."""
        arguments = raw_arguments(req)
        defaults = replace(_defaults(self._services, f"{id}.zip"), extended=self._media and "extended" in arguments)
        plan = self._plan(id, of_study=self._level is not Level.PATIENT)
        self._answers.answer(req, resp, plan, options_of_query(arguments, defaults), _AT_ONCE)

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the ZIP, or the id of its job."""
        body = read_json(req)
        fields = job_fields(body, permissive=False)
        options = options_of_body(body, _defaults(self._services, f"{id}.zip"))
        series_only = not self._media and self._level is Level.SERIES
        plan = self._plan(id, of_study=self._level is Level.STUDY, series_only=series_only)
        self._answers.answer(req, resp, plan, options, fields)

    def _plan(self, id: str, *, of_study: bool, series_only: bool = False) -> Plan:
        tree = self._tree(id)
        if self._media:
            return plan_media(tree)
        patient = self._patient_of_study(tree[0].nodes[0].resource.id) if of_study and tree else None
        return plan_archive(tree, NamesFrom(patient=patient, series_only=series_only))

    def _patient_of_study(self, study: str) -> Mapping[str, str] | None:
        first = self._services.storage.first_instance(study)
        resource = None if first is None else self._services.storage.get(first)
        file = None if resource is None else resource.attachments.get(AttachmentType.DICOM)
        if first is None or file is None:
            return None
        return self._patient_of(first, file.uuid, self._services.settings["DefaultEncoding"])

    def _tree(self, id: str) -> list[Node]:
        try:
            return resolve(self._services.storage, [id], self._level)
        except OrthancError as error:
            if error.code != ErrorCode.UNKNOWN_RESOURCE:
                raise
            details = f"Missing resource while creating an archive: {id}"
            raise OrthancError(ErrorCode.INEXISTENT_ITEM, details) from error


class ArchiveOfMany:
    """The archive or medium of any list of resources."""

    def __init__(self, services: Services, *, media: bool, extended: bool = False) -> None:
        self._services = services
        self._media = media
        self._extended = extended
        self._answers = ZipAnswers(services, MediaJob if media else ArchiveJob)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the ZIP of the resources in the argument ``resources``."""
        arguments = raw_arguments(req)
        if "resources" not in arguments:
            raise OrthancError(ErrorCode.BAD_REQUEST, "Missing resources argument")
        options = options_of_query(arguments, self._defaults())
        ids = arguments["resources"].removesuffix(",").split(",") if arguments["resources"] else []
        # Here, unlike in a POST, single instances are in the order of their identifiers, each once.
        self._answers.answer(req, resp, self._plan(sorted(set(ids))), options, _AT_ONCE)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the ZIP of the resources in the body, or the id of its job."""
        body = read_json(req, details=_NO_LIST)
        if not isinstance(body, (dict, list)):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
        fields = job_fields(body, permissive=False)
        options = options_of_body(body, self._defaults())
        self._answers.answer(req, resp, self._plan(_resources(body)), options, fields)

    def _defaults(self) -> ArchiveOptions:
        return replace(_defaults(self._services, "Archive.zip"), extended=self._extended)

    def _plan(self, ids: Sequence[str]) -> Plan:
        patients = resolve(self._services.storage, ids)
        return plan_media(patients) if self._media else plan_archive(patients)


def _defaults(services: Services, filename: str) -> ArchiveOptions:
    return ArchiveOptions(filename=filename, quality=services.settings["DicomLossyTranscodingQuality"])


def _resources(body: Any) -> list[str]:
    if isinstance(body, dict):
        if "Resources" not in body:
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Missing field Resources in the JSON body")
        body = body["Resources"]
    if not isinstance(body, list) or not all(isinstance(id, str) for id in body):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Expected a list of strings (Orthanc identifiers)")
    return body


def _of_one(level: Level, *, media: bool) -> Callable[[Services], ArchiveOfOne]:
    return lambda services: ArchiveOfOne(services, level, media=media)


def _of_many(*, media: bool, extended: bool = False) -> Callable[[Services], ArchiveOfMany]:
    return lambda services: ArchiveOfMany(services, media=media, extended=extended)


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    *((f"/{level.plural}/{{id}}/archive", _of_one(level, media=False)) for level in LEVELS[:3]),
    *((f"/{level.plural}/{{id}}/media", _of_one(level, media=True)) for level in LEVELS[:3]),
    ("/tools/create-archive", _of_many(media=False)),
    ("/tools/create-media", _of_many(media=True)),
    ("/tools/create-media-extended", _of_many(media=True, extended=True)),
)
