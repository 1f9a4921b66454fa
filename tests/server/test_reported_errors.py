"""Errors inside the server are kept by their words, and few of them."""

from __future__ import annotations

import weakref
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.server.reported_errors import MOST, ReportedError, keep_error


class Body:
    """Stands for what a request has in memory."""


def failing(kept: list[Any], text: str) -> None:
    body = Body()
    kept.append(weakref.ref(body))
    raise ValueError(text)


def test_the_words_are_kept_and_the_memory_is_not() -> None:
    errors: list[BaseException] = []
    bodies: list[Any] = []
    for number in range(MOST + 5):
        try:
            failing(bodies, f"number {number}" + "x" * 2_000_000 * (number == 7))
        except ValueError as error:
            keep_error(errors, error)
    assert [body() for body in bodies] == [None] * (MOST + 5)
    assert len(errors) == MOST
    assert str(errors[-1]) == f"number {MOST + 4}"
    (note,) = errors[-1].__notes__
    assert f"ValueError: number {MOST + 4}" in note
    assert "in failing" in note
    assert all(len(str(error)) <= 1000 and len(error.__notes__[0]) < 20_000 for error in errors)


def test_a_chain_of_errors_is_one_text() -> None:
    errors: list[BaseException] = []
    try:
        try:
            raise KeyError("the cause")
        except KeyError as error:
            raise OSError("the effect") from error
    except OSError as error:
        keep_error(errors, error)
    assert isinstance(errors[0], ReportedError)
    assert (errors[0].__cause__, errors[0].__context__, errors[0].__traceback__) == (None, None, None)
    assert "KeyError: 'the cause'" in errors[0].__notes__[0]


@pytest.mark.parametrize("serve", [orthanc_lab.serve, orthanc_lab.in_process])
def test_servers_keep_few(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("inside")

    with serve() as server:
        monkeypatch.setattr(server.services.storage, "list_ids", broken, raising=False)
        for _ in range(MOST + 10):
            answer = server.session.get(f"{server.url}/studies", data=b"x" * 1000)
            assert answer.status_code == 500
        assert len(server.errors) == MOST
        assert "ZeroDivisionError: inside" in server.errors[0].__notes__[0]
        server.errors.clear()
