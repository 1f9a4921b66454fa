"""Labels of a resource, and all labels in use."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_json, answer_nothing
from orthanc_lab.rest.resources.part_of_resource import PartOfResource
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "AllLabels", "LabelList", "OneLabel"]

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,64}")


class LabelList(PartOfResource):
    """The labels of one resource."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the labels, sorted."""
        answer_json(req, resp, list(self._resource(id).labels))


class OneLabel(PartOfResource):
    """One label of a resource."""

    writes = ("PUT", "DELETE")

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Answer 200 if the resource has the label, 404/empty if not."""
        if name not in self._resource(id).labels:
            raise EmptyAnswer(404)
        answer_nothing(resp)

    def on_put(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Add the label."""
        self._set(id, name, present=True)
        answer_nothing(resp)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Take the label away; nothing happens if it is not there."""
        self._set(id, name, present=False)
        answer_nothing(resp)

    def _set(self, id: str, label: str, *, present: bool) -> None:
        if not _LABEL.fullmatch(label):
            details = (
                "A label must be a non-empty, alphanumeric string, possibly with '_' or '-' characters, "
                f"with maximum 64 characters, but got: {label}"
            )
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
        self._resource(id)
        self._storage.set_label(id, label, present)


class AllLabels:
    """The labels that any resource has."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the labels, sorted."""
        answer_json(req, resp, self._storage.all_labels())


ROUTES: Sequence[tuple[str, Callable[[Services], Any]]] = (
    ("/tools/labels", AllLabels),
    *(
        route
        for level in LEVELS
        for route in (
            (f"/{level.plural}/{{id}}/labels", partial(LabelList, level=level)),
            (f"/{level.plural}/{{id}}/labels/{{name}}", partial(OneLabel, level=level)),
        )
    ),
)
