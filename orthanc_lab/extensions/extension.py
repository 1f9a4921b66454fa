"""What an extension consists of, and what a set of them must fulfil."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_lab.extensions.failures import extension_error
from orthanc_lab.extensions.job import Job
from orthanc_lab.extensions.paths import check_template, shape_of
from orthanc_lab.extensions.routes import Route

__all__ = ["Extension", "as_extension", "check_together"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_OF_ORTHANC = ("explorer.js", "transfers")


@dataclass(frozen=True, slots=True)
class Extension:
    """Kinds of job and routes that belong together: one entry of ``/plugins``.

    Attributes
    ----------
    name
        Its ``ID``, unique on a server.
    jobs
        Classes made from `Job`.
    routes
        Functions below `route`.
    version, description
        What ``/plugins/NAME`` tells.

    Raises
    ------
    OrthancError
        1 with the reason, for what does not fit.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab.extensions import route
    >>> @route("GET", "/ward/beds")
    ... def beds(request):
    ...     return {"Free": 3}
    >>> ward = Extension("ward", routes=[beds], version="2.1", description="The beds of a ward")
    >>> with orthanc_lab.in_process(extensions=[ward]) as server:
    ...     server.session.get(f"{server.url}/plugins").json()
    ['explorer.js', 'transfers', 'ward']
    """

    name: str
    jobs: Sequence[type[Job]] = ()
    routes: Sequence[Route] = ()
    version: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name) or self.name in _OF_ORTHANC:
            raise extension_error(f"{self.name!r:.80} cannot be the name of an extension")
        for kind in self.jobs:
            _check_kind(kind)
        for one in self.routes:
            if not isinstance(one, Route):
                raise extension_error(f"{one!r:.80} is no route: a function needs @route above it")


def as_extension(item: object) -> Extension:
    """Return an extension as it is, and a class or a route as one with its name.

    Raises
    ------
    TypeError
        For anything else.
    OrthancError
        1 for a class or a route that does not fit.
    """
    if isinstance(item, Extension):
        return item
    if isinstance(item, Route):
        return Extension(item.name, routes=(item,), description=_summary(item.handler))
    if isinstance(item, type) and issubclass(item, Job):
        return Extension(item.type, jobs=(item,), description=_summary(item))
    raise TypeError(f"{item!r:.80} is no extension: it must be an Extension, a class made from Job, or a @route")


def check_together(extensions: Iterable[Extension], *, taken_types: Iterable[str], taken_paths: Iterable[str]) -> None:
    """Refuse a second one of the same name, type or path.

    Parameters
    ----------
    taken_types, taken_paths
        Those of the server itself.

    Raises
    ------
    OrthancError
        1 with the reason.
    """
    names: dict[str, str] = {}
    types = dict.fromkeys(taken_types, "the server")
    paths = {shape_of(path): "the server" for path in (*taken_paths, "/")}
    templates: dict[str, str] = {}
    verbs: dict[tuple[str, str], str] = {}
    for extension in extensions:
        _take(names, extension.name, extension, "The name")
        for kind in extension.jobs:
            _take(types, kind.type, extension, "The type of job")
        for method, path in served(extension):
            shape = shape_of(path)
            if shape in paths or shape.split("/")[1] == "webdav":
                raise extension_error(f"The path {path} of the extension {extension.name} is taken by the server")
            if templates.setdefault(shape, path) != path:
                raise extension_error(f"The paths {templates[shape]} and {path} differ in the names of fields only")
            _take(verbs, (method, path), extension, "The route")


def served(extension: Extension) -> list[tuple[str, str]]:
    """Return the verbs and paths of an extension."""
    return [("POST", kind.route) for kind in extension.jobs] + [(one.method, one.path) for one in extension.routes]


def _take(owners: dict[Any, str], key: Any, extension: Extension, what: str) -> None:
    if key in owners:
        text = " ".join(key) if isinstance(key, tuple) else key
        raise extension_error(f"{what} {text} of the extension {extension.name} is taken by {owners[key]}")
    owners[key] = extension.name


def _check_kind(kind: object) -> None:
    if not (isinstance(kind, type) and issubclass(kind, Job)):
        raise extension_error(f"{kind!r:.80} is no kind of job: it must be a class made from Job")
    if kind.step is Job.step:
        raise extension_error(f"The class {kind.__name__} has no step()")
    if not isinstance(kind.type, str) or not _TYPE.fullmatch(kind.type):
        raise extension_error(f"{kind.type!r:.80} cannot be the type of a job")
    check_template(kind.route)
    timeout = kind.step_timeout
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout > 0:
        raise extension_error(f"step_timeout of {kind.type} must be a number of seconds, not {timeout!r:.80}")


def _summary(found: type | Callable[..., Any]) -> str:
    text = found.__doc__ if isinstance(found, type) else inspect.getdoc(found)
    return (text or "").strip().partition("\n")[0]
