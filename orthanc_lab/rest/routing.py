"""The router: from a path and a verb to the method of a resource, by Orthanc's rules.

A template is matched segment by segment, a literal before a field. A verb that the closest template lacks is
answered by the next one that has it: ``GET /jobs/{id}/cancel`` asks for the output ``cancel`` of the job.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.levels import LEVELS
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_json
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["Directory", "Router", "Routes", "responders"]

Routes = Iterable[tuple[str, Callable[[Services], Any]]]
Responders = dict[str, Callable[..., None]]
Match = tuple[object, Responders, dict[str, str], str]

_METHODS = ("GET", "POST", "PUT", "DELETE")
_FIELD = re.compile(r"\{(\w+)(?::(path))?\}")
_RESOURCE = object()  # Falcon only asks whether there is one

_KEPT_BY_READ_ONLY = frozenset(
    {"/changes", "/exports", "/tools/create-dicom", *(f"/{level.plural}/{{id}}/metadata/{{name}}" for level in LEVELS)}
)
"""Routes that write, and that Orthanc 1.12.7 serves with ``ReadOnly`` all the same: there the database refuses (22)."""

_FOR_GET_ALONE = frozenset({"/instances/{id}/content", "/instances/{id}/content/{path:path}"})
"""Routes that are unknown to other verbs (404 instead of 405), as in Orthanc."""


class Directory:
    """A resource that lists what is served directly below its own path (``/tools``)."""

    def __init__(self, services: Services) -> None:
        self._names: list[str] = []

    def list_children(self, template: str, served: Iterable[str]) -> None:
        """Take the names from the templates that are served."""
        start = f"{template}/"
        self._names = sorted({path[len(start) :].split("/")[0] for path in served if path.startswith(start)})

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the names, sorted."""
        answer_json(req, resp, self._names)


def responders(routes: Routes, services: Services) -> dict[str, Responders]:
    """Make the resource of each route; return the methods that answer, by template and verb.

    A resource whose verbs write to the database directly names them: ``writes = ("PUT", "DELETE")``. With
    ``ReadOnly`` they do not exist, as in Orthanc, and neither does a route that has no other verb.
    """
    read_only = bool(services.settings["ReadOnly"])
    made: dict[str, Responders] = {}
    directories: list[tuple[str, Directory]] = []
    for template, make in routes:
        if template in made:
            raise ValueError(f"The table of routes has {template} twice")
        resource = make(services)
        lost = getattr(resource, "writes", ()) if read_only and template not in _KEPT_BY_READ_ONLY else ()
        found = {method: getattr(resource, f"on_{method.lower()}", None) for method in _METHODS}
        made[template] = {method: respond for method, respond in found.items() if respond and method not in lost}
        if isinstance(resource, Directory):
            directories.append((template, resource))
    served = {template: methods for template, methods in made.items() if methods}
    for template, directory in directories:
        directory.list_children(template, served)
    return served


class Router:
    """Finds the method for a path, as ``falcon.App`` wants it."""

    def __init__(self, table: Mapping[str, Responders]) -> None:
        self._root = _Node()
        for template, methods in table.items():
            self._root.insert(template.split("/")[1:], template, methods)

    def find(self, uri: str, req: falcon.Request | None = None) -> Match | None:
        """Return what answers, None for an unknown path.

        Raises
        ------
        EmptyAnswer
            405, with the verbs of all templates that match the path.
        """
        segments = uri.split("/")
        method = req.method if req is not None else "GET"
        known: set[str] = set()
        for node, values in self._root.matches(segments, 1, ()):
            if method in node.methods:
                return _RESOURCE, node.methods, dict(zip(node.fields, values, strict=True)), node.template
            if node.template not in _FOR_GET_ALONE:
                known.update(node.methods)
        if known:
            allowed = ",".join(method for method in _METHODS if method in known)  # in the order of Orthanc
            raise EmptyAnswer(405, {"Allow": allowed})
        return None


class _Node:
    """A place in the tree of templates."""

    __slots__ = ("any_one", "any_rest", "fields", "literals", "methods", "template")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.any_one: _Node | None = None  # {field}
        self.any_rest: _Node | None = None  # {field:path}
        self.methods: Responders = {}
        self.fields: tuple[str, ...] = ()
        self.template = ""

    def insert(self, segments: list[str], template: str, methods: Responders) -> None:
        node = self
        fields = []
        for segment in segments:
            field = _FIELD.fullmatch(segment) if segment[:1] == "{" else None
            if field is None:
                below = node.literals.get(segment)
                if below is None:
                    below = node.literals[segment] = _Node()
                node = below
                continue
            fields.append(field[1])
            if field[2]:
                node.any_rest = node = node.any_rest or _Node()
            else:
                node.any_one = node = node.any_one or _Node()
        node.methods, node.fields, node.template = methods, tuple(fields), template

    def matches(
        self, segments: list[str], position: int, values: tuple[str, ...]
    ) -> Iterator[tuple[_Node, tuple[str, ...]]]:
        """Yield the nodes with a template for the segments from `position` on, the closest first."""
        if position == len(segments):
            if self.methods:
                yield self, values
            return
        segment = segments[position]
        literal = self.literals.get(segment)
        if literal is not None:
            yield from literal.matches(segments, position + 1, values)
        if self.any_one is not None:
            yield from self.any_one.matches(segments, position + 1, (*values, segment))
        if self.any_rest is not None:
            yield self.any_rest, (*values, "/".join(segments[position:]))
