"""``/instances/{id}/content``: the raw bytes of each element, through the sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orthanc_lab.dicom.files.element_path import follow_path
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_json
from orthanc_lab.rest.instances.instance_files import InstanceFiles
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Content"]


class Content:
    """The element at a path, or the list of what is below it."""

    def __init__(self, services: Services) -> None:
        self._files = InstanceFiles(services)

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, path: str = "") -> None:
        """Answer bytes, or an array of tags, items or fragments; 404/empty if there is nothing."""
        steps = [step for step in path.split("/") if step]
        found = follow_path(self._files.whole(id).data_set, steps, self._files.dictionary)
        if found is None:
            raise EmptyAnswer(404)
        if isinstance(found, bytes):
            resp.content_type = "application/octet-stream"
            resp.data = found
        else:
            answer_json(req, resp, found)


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/instances/{id}/content", Content),
    ("/instances/{id}/content/{path:path}", Content),
)
