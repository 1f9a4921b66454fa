"""A server in process with the collection, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import orthanc_lab
from tests.create.creator import DICTIONARY
from tests.modification.library import Library


@pytest.fixture(scope="module")
def shared_server() -> Iterator[orthanc_lab.InProcessServer]:
    with orthanc_lab.in_process(Dictionary=DICTIONARY, JobsHistorySize=1000) as server:
        yield server


@pytest.fixture
def library(shared_server: orthanc_lab.InProcessServer) -> Iterator[Library]:
    library = Library(shared_server.session, shared_server.url)
    library.refill()
    yield library
    errors = [repr(error) for error in shared_server.errors]
    shared_server.errors.clear()
    assert not errors
