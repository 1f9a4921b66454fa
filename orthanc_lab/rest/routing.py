"""From the table of routes to Falcon's router, with Orthanc's rule for paths that two templates match."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import falcon

from orthanc_lab.rest.services import Services

__all__ = ["add_routes", "responders"]

_METHODS = ("GET", "POST", "PUT", "DELETE")
_FIELD = re.compile(r"\{(\w+)(?::\w+)?\}")

_READ_ONLY_GONE = {"/tools/bulk-delete", "/tools/reconstruct", "/tools/invalidate-tags"}
_READ_ONLY_VERBS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile(r"/instances"), frozenset({"POST"})),
    (re.compile(r"/(patients|studies|series|instances)/\{\w+\}"), frozenset({"DELETE"})),
    (re.compile(r"/patients/\{\w+\}/protected"), frozenset({"PUT"})),
    (re.compile(r"/\w+/\{\w+\}/(attachments|labels)/\{\w+\}"), frozenset({"PUT", "DELETE"})),
)


Routes = Iterable[tuple[str, Callable[[Services], Any]]]


def add_routes(app: falcon.App[Any, Any], routes: Routes, services: Services) -> None:
    """Make the resource of each route and give it to the router.

    A verb that a literal template lacks is answered by a template with a field in its place:
    ``GET /jobs/{id}/cancel`` asks for the output ``cancel`` of the job.
    """
    made = responders(routes, services)
    last = len(made) - 1
    for position, (template, verbs) in enumerate(made.items()):
        methods = _with_general(template, verbs, made)
        app.add_route(template, _resource(methods), compile=position == last)


def responders(routes: Routes, services: Services) -> dict[str, dict[str, Any]]:
    """Return the methods that answer, by template and verb.

    With ``ReadOnly`` the verbs that write to the database directly do not exist, as in Orthanc.
    """
    read_only = bool(services.settings["ReadOnly"])
    made: dict[str, dict[str, Any]] = {}
    for template, make in routes:
        if read_only and template in _READ_ONLY_GONE:
            continue
        if template in made:
            raise ValueError(f"{template} stands twice in the table of routes")
        made[template] = _responders(make(services), _lost_verbs(template) if read_only else frozenset())
    return made


def _responders(resource: Any, lost: frozenset[str]) -> dict[str, Any]:
    found = {method: getattr(resource, f"on_{method.lower()}", None) for method in _METHODS}
    return {method: responder for method, responder in found.items() if responder and method not in lost}


def _lost_verbs(template: str) -> frozenset[str]:
    return next((verbs for pattern, verbs in _READ_ONLY_VERBS if pattern.fullmatch(template)), frozenset())


def _with_general(
    template: str, responders: Mapping[str, Any], made: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    methods = dict(responders)
    segments = template.split("/")
    for other, theirs in made.items():
        fields = _covered(segments, other.split("/")) if other != template else None
        for method in theirs if fields is not None else ():
            methods.setdefault(method, _bound(theirs[method], fields or {}))
    return methods


def _covered(segments: list[str], general: list[str]) -> dict[str, str] | None:
    """Return the fields that `general` has where `segments` has literals; None if it does not match them all."""
    if len(segments) != len(general):
        return None
    fields = {}
    for ours, theirs in zip(segments, general, strict=True):
        field = _FIELD.fullmatch(theirs)
        if field and not _FIELD.fullmatch(ours):
            fields[field[1]] = ours
        elif ours != theirs:
            return None
    return fields


def _bound(responder: Callable[..., None], fields: dict[str, str]) -> Callable[..., None]:
    def respond(req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        responder(req, resp, **params, **fields)

    return respond


def _resource(methods: Mapping[str, Any]) -> object:
    return type("Resource", (), {f"on_{method.lower()}": staticmethod(run) for method, run in methods.items()})()
