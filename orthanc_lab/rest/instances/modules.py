"""``/{level}/{id}/module`` and ``/studies/{id}/module-patient``: the tags that describe one level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from orthanc_lab.dicom.dictionary.modules import MODULES
from orthanc_lab.dicom.shown.tags_json import data_set_to_json
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.rest.http.answers import answer_json, unknown_resource
from orthanc_lab.rest.http.arguments import query_arguments
from orthanc_lab.rest.instances.instance_files import InstanceFiles
from orthanc_lab.rest.instances.tags import ignored_lengths, tags_format
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Module"]


class Module:
    """The module of a level, as one instance below the resource has it.

    Parameters
    ----------
    level
        Of the resource in the path.
    shown
        Level whose module is shown.
    """

    def __init__(self, services: Services, level: Level, shown: Level) -> None:
        self._storage = services.storage
        self._files = InstanceFiles(services)
        self._level = level
        self._shown = shown

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer its tags in the form that ``simplify`` or ``short`` ask for."""
        arguments = query_arguments(req)
        dictionary = self._files.dictionary
        whole_values = ignored_lengths(arguments, dictionary)
        file = self._files.header(self._instance(id))
        tags = data_set_to_json(
            file,
            tags_format(arguments),
            dictionary,
            only=MODULES[self._shown],
            default_encoding=self._files.default_encoding,
            ignore_length=whole_values,
        )
        answer_json(req, resp, tags)

    def _instance(self, id: str) -> str:
        if self._storage.find_level(id) is not self._level:
            raise unknown_resource()
        instances = self._storage.descendants(id, Level.INSTANCE)
        if not instances:
            raise unknown_resource()
        return min(instances)  # the one that Orthanc takes


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    *((f"/{level.plural}/{{id}}/module", partial(Module, level=level, shown=level)) for level in LEVELS),
    ("/studies/{id}/module-patient", partial(Module, level=Level.STUDY, shown=Level.PATIENT)),
)
