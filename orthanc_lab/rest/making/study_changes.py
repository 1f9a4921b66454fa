"""``/studies/{id}/split`` and ``/studies/{id}/merge``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.dictionary.dictionary import Dictionary, format_tag
from orthanc_lab.dicom.dictionary.tags import SPECIFIC_CHARACTER_SET, STUDY_INSTANCE_UID
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.dicom.files.text import decoder_of, text_bytes
from orthanc_lab.dicom.making.inheritance import MODULES, SEQUENCES
from orthanc_lab.jobs.kinds.rewriting.merge import MergeJob
from orthanc_lab.jobs.kinds.rewriting.rewrite_job import Sources
from orthanc_lab.jobs.kinds.rewriting.split import SplitJob
from orthanc_lab.jobs.kinds.rewriting.study_change import StudyPlan
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.queries.listed_instances import listed_instances
from orthanc_lab.rest.http.bodies import boolean_field, job_fields, read_json
from orthanc_lab.rest.http.origin import origin_of
from orthanc_lab.rest.http.submission import submit_job
from orthanc_lab.rest.making.modification import string_list
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.ports import Resources

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "MergeStudy", "SplitStudy"]

_PLAIN_TAGS = frozenset(MODULES[Level.PATIENT] + MODULES[Level.STUDY])
_MODULE_TAGS = _PLAIN_TAGS | frozenset(SEQUENCES[Level.PATIENT] + SEQUENCES[Level.STUDY])


class SplitStudy:
    """Series and instances of a study, moved to a new study of the same patient."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tools = services.job_tools

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the new study, or the job."""
        body = read_json(req)
        if body is None:
            body = {}
        storage, names = self._services.storage, self._tools.dictionary
        if storage.find_level(id) is not Level.STUDY:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, f"Cannot split unknown study {id}")
        if not isinstance(body, dict):
            raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
        instances = _parts(storage, id, body)
        if not instances:
            message = 'Both the "Series" and the "Instances" fields are missing'
            raise OrthancError(ErrorCode.BAD_REQUEST, message)
        keep = boolean_field(body, "KeepSource", False)
        replaced = {_module_tag(names, name): text for name, text in _texts(body, "Replace").items()}
        removed = [_module_tag(names, name) for name in _names(body, "Remove")]
        replaced[STUDY_INSTANCE_UID] = self._services.identifiers.uid()
        plan = StudyPlan(self._services.identifiers.uuid(), removed, replaced)
        fields = job_fields(body)
        sources = Sources(instances, origin_of(req), keep, fields.permissive)
        submit_job(req, resp, self._services, fields, SplitJob(self._tools, sources, plan))


class MergeStudy:
    """Studies, series and instances, moved into an existing study."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tools = services.job_tools

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the number of instances, or the job."""
        body = read_json(req)
        storage = self._services.storage
        if storage.find_level(id) is not Level.STUDY:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, f"Cannot merge into an unknown study: {id}")
        instances = listed_instances(string_list(body, "Resources"), partial(_mergeable, storage, id))
        keep = boolean_field(body, "KeepSource", False)
        plan = StudyPlan(self._services.identifiers.uuid(), sorted(_MODULE_TAGS), self._module(id))
        fields = job_fields(body)
        sources = Sources(instances, origin_of(req), keep, fields.permissive)
        submit_job(req, resp, self._services, fields, MergeJob(self._tools, sources, plan, id))

    def _module(self, study: str) -> dict[int, str]:
        """Return the patient and study modules of the target, as one of its instances has them."""
        storage = self._services.storage
        model = storage.descendants(study, Level.INSTANCE)[0]
        data_set = read_file(storage.read_dicom_header(model), self._tools.dictionary, skip_pixel_data=True).data_set
        return texts_of(data_set, sorted(_PLAIN_TAGS), self._services.settings["DefaultEncoding"])


def texts_of(data_set: DataSet, tags: Sequence[int], default_encoding: str) -> dict[int, str]:
    """Return the values of those tags that are there, as text."""
    stated = data_set.get(SPECIFIC_CHARACTER_SET)
    decode = decoder_of(
        stated.value if stated is not None and isinstance(stated.value, bytes) else None, default_encoding
    )
    found = ((tag, data_set[tag].value) for tag in tags if tag in data_set)
    return {tag: decode(text_bytes(value)) for tag, value in found if isinstance(value, bytes)}


def _parts(storage: Resources, study: str, body: Mapping[str, Any]) -> list[str]:
    """Return the instances to be moved; one that is named twice counts twice, as in Orthanc."""

    def instances_of(level: Level, id: str) -> list[str]:
        if storage.find_level(id) is not level or storage.ancestor(id, Level.STUDY) != study:
            message = f"This {level.value.lower()} does not belong to the study to be split: {id}"
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, message)
        return storage.descendants(id, Level.INSTANCE)

    found: list[str] = []
    for name, level in (("Series", Level.SERIES), ("Instances", Level.INSTANCE)):
        if name in body:
            found += listed_instances(string_list(body, name), partial(instances_of, level))
    return found


def _mergeable(storage: Resources, study: str, id: str) -> list[str]:
    """Return the instances of a resource that can go into a study, series by series."""
    level = storage.find_level(id)
    if level is None:
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, f"Cannot find this resource: {id}")
    if level is Level.PATIENT:
        message = f"This resource is neither a study, nor a series, nor an instance: {id} is a Patient"
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, message)
    if storage.ancestor(id, Level.STUDY) == study:
        what = f"{level.value.lower()} {id} into its parent study {study}"
        message = (
            f"Cannot merge {what}" if level is not Level.STUDY else f"Cannot merge a study into the same study: {id}"
        )
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, message)
    series = storage.descendants(id, Level.SERIES) if level is Level.STUDY else [id]
    return [instance for one in series for instance in storage.descendants(one, Level.INSTANCE)]


def _texts(body: Mapping[str, Any], name: str) -> dict[str, str]:
    value = body.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return value


def _names(body: Mapping[str, Any], name: str) -> list[str]:
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return value


def _module_tag(names: Dictionary, name: str) -> int:
    tag = names.parse_tag(name)
    if tag not in _MODULE_TAGS or tag == STUDY_INSTANCE_UID:
        message = (
            "Cannot modify the following tag while splitting a study (not in the patient/study modules): "
            f"{names.name_of(tag)} ({format_tag(tag)})"
        )
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, message)
    return tag


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/studies/{id}/split", SplitStudy),
    ("/studies/{id}/merge", MergeStudy),
)
