"""The older calls that ask another node: ``/modalities/{name}/find`` and the like, by level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.shown.tag_format import TagFormat
from orthanc_lab.dimse.answers import FindAnswer
from orthanc_lab.dimse.identifiers import TagValues
from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_json
from orthanc_lab.rest.http.bodies import read_parsed_body
from orthanc_lab.rest.network.query_request import find_tags
from orthanc_lab.rest.network.remote_find import RemoteFind
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

    from orthanc_lab.dimse.find import Finder

__all__ = ["ROUTES"]

_SHORTEST = 3  # letters of an identifier that is taken for one
_ASKED: dict[Level, tuple[int, ...]] = {
    Level.PATIENT: (
        *(tags.PATIENT_NAME, tags.PATIENT_ID, tags.PATIENT_BIRTH_DATE, tags.PATIENT_SEX),
        tags.OTHER_PATIENT_IDS,
    ),
    Level.STUDY: (
        *(tags.STUDY_DATE, tags.STUDY_TIME, tags.ACCESSION_NUMBER, tags.REFERRING_PHYSICIAN_NAME),
        *(tags.STUDY_DESCRIPTION, tags.PATIENT_ID, tags.STUDY_INSTANCE_UID, tags.STUDY_ID),
    ),
    Level.SERIES: (
        *(tags.SERIES_DATE, tags.SERIES_TIME, tags.ACCESSION_NUMBER, tags.MODALITY, tags.SERIES_DESCRIPTION),
        *(tags.OPERATORS_NAME, tags.PATIENT_ID, tags.BODY_PART_EXAMINED, tags.PROTOCOL_NAME),
        *(tags.STUDY_INSTANCE_UID, tags.SERIES_INSTANCE_UID, tags.SERIES_NUMBER),
        tags.PERFORMED_PROCEDURE_STEP_DESCRIPTION,
    ),
    Level.INSTANCE: (
        *(tags.INSTANCE_CREATION_DATE, tags.INSTANCE_CREATION_TIME, tags.SOP_INSTANCE_UID, tags.ACCESSION_NUMBER),
        *(tags.PATIENT_ID, tags.STUDY_INSTANCE_UID, tags.SERIES_INSTANCE_UID, tags.INSTANCE_NUMBER),
    ),
}
"""What is asked for at each level; of a request, only these count."""

_NEEDED: dict[Level, tuple[tuple[int, ...], ...]] = {
    Level.PATIENT: (),
    Level.STUDY: ((tags.ACCESSION_NUMBER, tags.PATIENT_ID),),
    Level.SERIES: ((tags.ACCESSION_NUMBER, tags.PATIENT_ID), (tags.STUDY_INSTANCE_UID,)),
    Level.INSTANCE: (
        (tags.ACCESSION_NUMBER, tags.PATIENT_ID),
        (tags.STUDY_INSTANCE_UID,),
        (tags.SERIES_INSTANCE_UID,),
    ),
}
"""Which tags a request must have at each level: one of each group."""


class _FindResource:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._find = RemoteFind(services)

    def _asked(self, req: falcon.Request) -> dict[int, str]:
        try:
            fields = lenient_json.loads(read_parsed_body(req))
        except OrthancError as error:
            if error.code != ErrorCode.BAD_JSON:
                raise
            raise EmptyAnswer(400) from error
        if not isinstance(fields, dict):
            raise EmptyAnswer(400)
        return find_tags(fields, self._services.dictionary)

    def _answers(self, finder: Finder, level: Level, asked: TagValues) -> list[FindAnswer]:
        return finder.find(level, {tag: asked.get(tag, "") for tag in _ASKED[level]})

    def _shown(self, answer: FindAnswer, level: Level) -> dict[str, Any]:
        (shown,) = self._find.shown([answer], level, TagFormat.NAMES)
        return {name: value for name, value in shown.items() if value is not None}


class _FindLevel(_FindResource):
    level: Level

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Send a C-FIND; answer what the node answers."""
        asked = self._asked(req)
        for group in _NEEDED[self.level]:
            if all(len(asked.get(tag, "")) < _SHORTEST for tag in group):
                raise EmptyAnswer(400)
        with self._find.open(self._services.modalities.get(name)) as finder:
            answers = self._answers(finder, self.level, asked)
        answer_json(req, resp, [self._shown(answer, self.level) for answer in answers])


class FindPatient(_FindLevel):
    """The patients of a node."""

    level = Level.PATIENT


class FindStudy(_FindLevel):
    """The studies of a patient."""

    level = Level.STUDY


class FindSeries(_FindLevel):
    """The series of a study."""

    level = Level.SERIES


class FindInstance(_FindLevel):
    """The instances of a series."""

    level = Level.INSTANCE


class Find(_FindResource):
    """Patients, with their studies and series, by one C-FIND for each of them."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Answer the tree of what a node has."""
        asked = self._asked(req)
        with self._find.open(self._services.modalities.get(name)) as finder:
            answer_json(req, resp, self._tree(finder, Level.PATIENT, asked))

    def _tree(self, finder: Finder, level: Level, asked: TagValues) -> list[dict[str, Any]]:
        found = []
        for answer in self._answers(finder, level, asked):
            shown = self._shown(answer, level)
            below = _CHILDREN.get(level)
            if below is not None:
                texts = self._find.texts(answer, level)
                known = {tag: texts[tag] for tag in _PASSED_DOWN[level] if tag in texts}
                shown[below] = self._tree(finder, LEVELS[level.depth + 1], {**asked, **known})
            found.append(shown)
        return found


_CHILDREN = {Level.PATIENT: "Studies", Level.STUDY: "Series"}
_PASSED_DOWN = {Level.PATIENT: (tags.PATIENT_ID,), Level.STUDY: (tags.PATIENT_ID, tags.STUDY_INSTANCE_UID)}

ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/modalities/{name}/find", Find),
    ("/modalities/{name}/find-instance", FindInstance),
    ("/modalities/{name}/find-patient", FindPatient),
    ("/modalities/{name}/find-series", FindSeries),
    ("/modalities/{name}/find-study", FindStudy),
)
