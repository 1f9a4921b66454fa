"""The faults of HTTP, around the application of a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from orthanc_lab.testing.faults import answers
from orthanc_lab.testing.faults.answers import Answer, answer_of, body_of, read_all, send, with_body
from orthanc_lab.testing.faults.behind import ServerBehind
from orthanc_lab.testing.faults.fault import Fault
from orthanc_lab.testing.faults.switches import FaultSwitches

__all__ = ["FAULTS_OF_REQUESTS", "faulty_application"]

_Start = Callable[..., Any]
_Application = Callable[..., Iterable[bytes]]
_WORDS = "a fault that was switched on"
_STALE = "stale since of changes"
_DIGITS = 18  # of a number in a query


@dataclass(frozen=True, slots=True)
class _Request:
    """A request on its way to the application."""

    fault: Fault
    line: str  # "GET /system"
    environ: dict[str, Any]
    start: _Start
    application: _Application
    behind: ServerBehind

    def go_on(self) -> Iterable[bytes]:
        """Let the application answer, unchanged."""
        return self.application(self.environ, self.start)

    def answer(self) -> Answer:
        """Let the application answer, without sending anything."""
        return answer_of(self.application, self.environ)

    def happens(self) -> bool:
        """Count this request, and return whether the fault happens on it."""
        return self.fault.happens(self.line)


def faulty_application(application: _Application, behind: ServerBehind, faults: FaultSwitches) -> _Application:
    """Return an application with the faults of HTTP that are in force."""

    def answer(environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        if not (in_force := faults.in_force):
            return application(environ, start)
        line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        changed = application
        for fault in in_force:
            if fault.name == _STALE:  # the numbers begin anew when it is switched on, not when they are asked for
                fault.remember(behind.last_change_number)
            act = _ACTS.get(fault.name)
            if act is not None and fault.trigger.concerns(line):
                changed = _Layer(act, fault, line, changed, behind)
        return changed(environ, start)

    return answer


@dataclass(frozen=True, slots=True)
class _Layer:
    """An application with one fault around it, for one request."""

    act: Callable[[_Request], Iterable[bytes]]
    fault: Fault
    line: str
    application: _Application
    behind: ServerBehind

    def __call__(self, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        return self.act(_Request(self.fault, self.line, environ, start, self.application, self.behind))


def _lose_the_answer(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    read_all(request.answer())
    raise ConnectionResetError(_WORDS)


def _reset_before(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    raise ConnectionResetError(_WORDS)


def _reset_in_the_request(request: _Request) -> Iterable[bytes]:
    length = int(request.environ.get("CONTENT_LENGTH") or 0)
    is_chunked = "HTTP_TRANSFER_ENCODING" in request.environ
    if not (length or is_chunked) or not request.happens():
        return request.go_on()
    at = request.fault.trigger.at_byte
    request.environ["wsgi.input"].read(length // 2 if at is None else at)
    raise ConnectionResetError(_WORDS)


def _reset_in_the_answer(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    answer = request.answer()
    return send(request.start, answer, answers.broken(answer, request.fault.trigger.at_byte))


def _reset_after(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    answer = request.answer()
    if answer.length is None:
        whole = read_all(answer)
        answer = Answer(answer.status, answer.headers, [whole])
    return send(request.start, answer, answers.broken(answer, answer.length))


def _truncate(request: _Request) -> Iterable[bytes]:
    answer = request.answer()
    if not answer.type.startswith("application/zip") or not request.happens():
        return send(request.start, answer)
    body, length = answers.cut(answer, request.fault.trigger.at_byte)
    return send(request.start, answer, body, length)


def _download_slowly(request: _Request) -> Iterable[bytes]:
    answer = request.answer()
    is_file = not answer.type.startswith(("application/json", "text/", "application/problem"))
    if not answer.type or not is_file or not request.happens():
        return send(request.start, answer)
    return send(request.start, answer, answers.late(answer, request.fault.trigger.at_byte, request.fault.pause))


def _answer_late(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    answer = request.answer()
    request.fault.pause()
    return send(request.start, answer)


def _come_late(request: _Request) -> Iterable[bytes]:
    if request.happens():
        request.fault.pause()
    return request.go_on()


def _be_busy(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    request.start("503 Service Unavailable", [])
    return [b""]


def _be_busy_for(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    request.start("503 Service Unavailable", [("Retry-After", f"{request.fault.trigger.seconds:.0f}")])
    return [b""]


def _deliver_twice(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    body = body_of(request.environ)
    read_all(answer_of(request.application, with_body(request.environ, body)))
    return request.application(with_body(request.environ, body), request.start)


def _number_changes_anew(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    base = request.fault.remember(request.behind.last_change_number)
    query = dict(parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True))
    if "last" not in query:
        since = query.get("since", "0")
        query["since"] = str(base + (int(since) if since.isdecimal() and len(since) <= _DIGITS else 0))
    answer = answer_of(request.application, {**request.environ, "QUERY_STRING": urlencode(query)})
    document = json.loads(read_all(answer))
    document["Changes"] = [{**change, "Seq": change["Seq"] - base} for change in document["Changes"]]
    document.update({key: max(document[key] - base, 0) for key in ("First", "Last") if key in document})
    return send(request.start, Answer(answer.status, answer.headers, [json.dumps(document).encode()]))


def _accept_and_lose(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    answer = request.answer()
    whole = read_all(answer)
    if answer.status.startswith("200"):
        document = json.loads(whole)
        for one in document if isinstance(document, list) else [document]:
            if one.get("Status") == "Success":
                request.behind.lose(one["ID"])
    return send(request.start, Answer(answer.status, answer.headers, [whole]))


def _restart(request: _Request) -> Iterable[bytes]:
    if not request.happens():
        return request.go_on()
    request.behind.restart()
    raise ConnectionResetError(_WORDS)


_ACTS: Mapping[str, Callable[[_Request], Iterable[bytes]]] = {
    "answer lost after the commit": _lose_the_answer,
    "connection reset before the answer": _reset_before,
    "connection reset in the request": _reset_in_the_request,
    "connection reset in the answer": _reset_in_the_answer,
    "connection reset after the answer": _reset_after,
    "truncated ZIP": _truncate,
    "download slower than the time-out": _download_slowly,
    "answer slower than the time-out": _answer_late,
    "503 without Retry-After": _be_busy,
    "503 with Retry-After": _be_busy_for,
    "duplicate delivery": _deliver_twice,
    _STALE: _number_changes_anew,
    "peer that accepts and loses": _accept_and_lose,
    "slow peer": _come_late,
    "restart that forgets": _restart,
}

FAULTS_OF_REQUESTS = tuple(_ACTS)
"""The names of those that need no look inside of a server."""
