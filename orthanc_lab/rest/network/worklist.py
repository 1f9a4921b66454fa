"""Worklists of other nodes: ``/modalities/{name}/find-worklist``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.dictionary.tags import SPECIFIC_CHARACTER_SET
from orthanc_lab.dicom.files.charsets import Charset, by_term
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.shown.tags_json import TagsFormat
from orthanc_lab.dimse.answers import AnswersReader
from orthanc_lab.dimse.optional import needs_pynetdicom
from orthanc_lab.dimse.query_models import WORKLIST_FIND
from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.rest.http.answers import answer_json
from orthanc_lab.rest.http.bodies import boolean_field, read_json
from orthanc_lab.rest.network.modality_bodies import timeout_field
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]


class FindWorklist:
    """The scheduled procedures that a node knows."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Send a C-FIND; answer what the node answers."""
        fields = _read_fields(req)
        has_query = "Query" in fields  # older clients send the query alone
        query = fields["Query"] if has_query else fields
        options = fields if has_query else {}
        if not isinstance(query, dict):
            raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
        form = _form(options)
        timeout = timeout_field(options)
        identifier = self._identifier(query)
        modality = self._services.modalities.get(name)
        # It loads pynetdicom, which most servers never need.
        with needs_pynetdicom():
            from orthanc_lab.dimse.find import Finder  # noqa: PLC0415

        services = self._services
        values = services.job_tools.values()
        with Finder(
            modality, services.dicom, values, services.clock, timeout=timeout, models=[WORKLIST_FIND]
        ) as finder:
            answers = finder.ask(WORKLIST_FIND, identifier)
        reader = AnswersReader(services.dictionary, services.settings["DefaultEncoding"])
        answer_json(req, resp, [reader.whole(answer, form) for answer in answers])

    def _identifier(self, query: dict[str, Any]) -> DataSet:
        values = self._services.job_tools.values()
        tags = {name: values.names.parse_tag(name, values.private_creator) for name in sorted(query)}
        charset = values.charset
        asked = {}
        for name, value in query.items():
            if tags[name] != SPECIFIC_CHARACTER_SET:
                asked[name] = "" if value is None else value
            elif value != "":
                charset = _charset(value)
        return values.in_charset(charset).data_set(asked) | charset.declaration()


def _charset(term: Any) -> Charset:
    charset = by_term(term) if isinstance(term, str) else None
    if charset is None:
        text = house_json.dumps(term, indent="\t")
        raise OrthancError(ErrorCode.BAD_REQUEST, f"Unknown encoding while creating DICOM from JSON: {text}\n")
    return charset


def _read_fields(req: falcon.Request) -> dict[str, Any]:
    body = read_json(req, details="Must provide a JSON object")
    if body is None:
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
    if not isinstance(body, dict):
        raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
    return body


def _form(fields: dict[str, Any]) -> TagsFormat:
    short, full = boolean_field(fields, "Short", False), boolean_field(fields, "Full", False)
    if short:
        return TagsFormat.SHORT
    return TagsFormat.FULL if full else TagsFormat.SIMPLIFIED


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (("/modalities/{name}/find-worklist", FindWorklist),)
