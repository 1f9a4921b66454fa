"""Routes of extensions: a function that answers the requests to a path."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orthanc_lab.extensions.failures import extension_error
from orthanc_lab.extensions.paths import check_template, fields_of

__all__ = ["METHODS", "Route", "route"]

METHODS = ("GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Route:
    """A function that answers one verb of a path; usually made by `route`.

    Attributes
    ----------
    method
        GET, POST, PUT or DELETE.
    path
        A template such as ``/studies/{id}/report``; a last field ``{rest:path}`` takes all that follows.
    handler
        Called with the `Request` and, by their names, the fields of the path. What it returns is the answer: JSON
        values, a str (sent as text), bytes, None (nothing) or an `Answer`. An `orthanc_lab.OrthancError` that it
        raises is answered as such; any other exception as error 1, with its text.
    writes
        Whether a server with ``ReadOnly`` leaves it out, and pages of other sites are refused; None for all verbs but
        GET.

    Raises
    ------
    OrthancError
        1 with the reason, for a verb, a path or a function that does not fit.

    Examples
    --------
    >>> Route("GET", "/echo/{text}", lambda request, text: text).path
    '/echo/{text}'
    """

    method: str
    path: str
    handler: Callable[..., Any]
    writes: bool | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise extension_error(f"The method of a route must be one of {', '.join(METHODS)}, not {self.method!r:.80}")
        check_template(self.path)
        if not callable(self.handler):
            raise extension_error(f"The route {self.method} {self.path} needs a function")
        fields = fields_of(self.path)
        try:
            inspect.signature(self.handler).bind(None, **dict.fromkeys(fields, ""))
        except TypeError as error:
            expected = ", ".join(("request", *fields))
            text = f"The function of the route {self.method} {self.path} must take ({expected}): {error}"
            raise extension_error(text) from error

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function, as in a test of it."""
        return self.handler(*arguments, **named)

    @property
    def name(self) -> str:
        """The name of the function."""
        return getattr(self.handler, "__name__", "route")

    @property
    def changes_data(self) -> bool:
        """Whether a server with ``ReadOnly`` leaves it out."""
        return self.method != "GET" if self.writes is None else self.writes


def route(method: str, path: str, *, writes: bool | None = None) -> Callable[[Callable[..., Any]], Route]:
    """Make a route of the function below.

    Parameters
    ----------
    method, path, writes
        As those of `Route`.

    Raises
    ------
    OrthancError
        As `Route`.

    Examples
    --------
    >>> import orthanc_lab
    >>> @route("GET", "/hello/{name}")
    ... def hello(request, name):
    ...     return {"Hello": name, "Loud": request.arguments.get("loud") == "1"}
    >>> with orthanc_lab.in_process(extensions=[hello]) as server:
    ...     server.session.get(f"{server.url}/hello/world?loud=1").json()
    {'Hello': 'world', 'Loud': True}
    """

    def made(handler: Callable[..., Any]) -> Route:
        return Route(method, path, handler, writes)

    return made
