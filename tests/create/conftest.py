"""A server in process, emptied for each test, and a short way to create instances on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import orthanc_lab
from tests.create.creator import DICTIONARY, Creator


@pytest.fixture(scope="module")
def shared_server() -> Iterator[orthanc_lab.InProcessServer]:
    with orthanc_lab.in_process(Dictionary=DICTIONARY) as server:
        yield server


@pytest.fixture
def creator(shared_server: orthanc_lab.InProcessServer) -> Iterator[Creator]:
    creator = Creator(shared_server.session, shared_server.url)
    for patient in creator.session.get(f"{creator.url}/patients").json():
        creator.session.delete(f"{creator.url}/patients/{patient}")
    yield creator
    errors = [repr(error) for error in shared_server.errors]
    shared_server.errors.clear()
    assert not errors
