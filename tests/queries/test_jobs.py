"""The jobs ``DicomMoveScu`` and ``DicomGetScu`` of our server: paused, cancelled, killed, and resumed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from tests.queries.conftest import IMPLICIT, Asked
from tests.queries.scripted_node import C_CANCEL_RQ, C_GET_RQ, C_MOVE_RQ, PENDING, Conversation, Message, ScriptedNode
from tests.waiting import until

OPERATIONS = ["move", "get"]
RESOURCES = [{"StudyInstanceUID": f"1.2.{number}"} for number in range(1, 5)]


class Slow:
    """A node that does four sub-operations for each request, and each of them only when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []  # the studies
        self._permits = threading.Semaphore(0)

    def let(self, count: int) -> None:
        """Let sub-operations happen."""
        for _ in range(count):
            self._permits.release()

    def __call__(self, conversation: Conversation) -> None:
        for message in conversation.messages():
            if message.kind in (C_MOVE_RQ, C_GET_RQ):
                self.asked.append(message.data.split(b"UI")[-1][-6:].rstrip(b"\0").decode())
                self._work(conversation, message)

    def _work(self, conversation: Conversation, message: Message) -> None:
        for done in range(1, 5):
            assert self._permits.acquire(timeout=20)
            conversation.answer(message, PENDING, remaining=4 - done, completed=done, failed=0, warning=0)
        conversation.answer(message, 0, completed=4, failed=0, warning=0)


@pytest.fixture
def slow(ours: Asked) -> Iterator[Slow]:
    node = Slow()
    ours.script(node)
    yield node
    node.let(100)


def submitted(asked: Asked, operation: str, resources: Any = RESOURCES, **fields: Any) -> str:
    body = {"Level": "Study", "Resources": resources, "Asynchronous": True, **fields}
    return str(asked.post(f"/modalities/patient/{operation}", body)["ID"])


def is_at(asked: Asked, job: str, state: str, progress: int) -> bool:
    view = asked.get(f"/jobs/{job}")
    return (view["State"], view["Progress"]) == (state, progress)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_progress_counts_queries_and_sub_operations(ours: Asked, slow: Slow, operation: str) -> None:
    job = submitted(ours, operation)
    slow.let(1)
    until(lambda: is_at(ours, job, "Running", 6))
    slow.let(5)
    until(lambda: is_at(ours, job, "Running", 38))
    slow.let(10)
    until(lambda: is_at(ours, job, "Success", 100))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_paused_job_leaves_the_node_and_goes_on_with_the_query(ours: Asked, slow: Slow, operation: str) -> None:
    job = submitted(ours, operation)
    slow.let(5)
    until(lambda: is_at(ours, job, "Running", 31))
    ours.post(f"/jobs/{job}/pause")
    slow.let(1)  # it looks up after a message
    until(lambda: ours.get(f"/jobs/{job}")["State"] == "Paused")
    slow.let(2)
    until(lambda: len(ours.node.proposals) == 1)
    ours.post(f"/jobs/{job}/resume")
    slow.let(12)
    until(lambda: is_at(ours, job, "Success", 100))
    assert slow.asked == ["1.2.1", "1.2.2", "1.2.2", "1.2.3", "1.2.4"]
    assert len(ours.node.proposals) == 2


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_cancelled_job_tells_the_node(ours: Asked, operation: str) -> None:
    gate = threading.Event()
    seen: list[int] = []

    def script(conversation: Conversation) -> None:
        request = conversation.receive()
        assert request is not None
        conversation.answer(request, PENDING, remaining=3, completed=1, failed=0, warning=0)
        assert gate.wait(20)
        conversation.answer(request, PENDING, remaining=2, completed=2, failed=0, warning=0)
        seen.extend(message.kind for message in conversation.messages())

    ours.script(script)
    job = submitted(ours, operation, RESOURCES[:1])
    until(lambda: is_at(ours, job, "Running", 25))
    ours.post(f"/jobs/{job}/cancel")
    gate.set()  # it looks up after a message
    until(lambda: ours.get(f"/jobs/{job}")["State"] == "Failure")
    assert ours.get(f"/jobs/{job}")["ErrorCode"] == 37
    until(lambda: seen)
    assert seen == [C_CANCEL_RQ]


def test_a_synchronous_call_ends_with_its_job(ours: Asked, slow: Slow) -> None:
    answers: list[tuple[int, int, str]] = []
    body = {"Level": "Study", "Resources": RESOURCES[:1]}
    caller = threading.Thread(target=lambda: answers.append(ours.refused("/modalities/patient/move", body)))
    caller.start()
    job = until(lambda: next((view["ID"] for view in ours.get("/jobs?expand") if view["State"] == "Running"), ""))
    ours.post(f"/jobs/{job}/cancel")
    slow.let(1)
    caller.join(20)
    assert answers == [(500, 37, "")]


def test_a_job_goes_on_after_a_kill(tmp_path: Path) -> None:
    node_script = Slow()
    with ScriptedNode(node_script, syntax=IMPLICIT) as node:
        options = {"folder": tmp_path, "DicomModalities": {"node": ["NODE", "127.0.0.1", node.port]}}
        body = {"Level": "Study", "Resources": RESOURCES, "Asynchronous": True, "Priority": 2}
        with orthanc_lab.serve(process=True, **options) as server:
            asked = Asked(server.url, node, is_real=False)
            job = asked.post("/modalities/node/move", body)["ID"]
            node_script.let(9)
            until(lambda: is_at(asked, job, "Running", 56))
            server.kill()
        node_script.let(20)
        with orthanc_lab.serve(process=True, **options) as server:
            asked = Asked(server.url, node, is_real=False)
            until(lambda: is_at(asked, job, "Success", 100))
            view = asked.get(f"/jobs/{job}")
            assert view["Priority"] == 2
            assert [query["0020,000d"] for query in view["Content"]["Query"]] == ["1.2.1", "1.2.2", "1.2.3", "1.2.4"]
    again = node_script.asked[3:]
    assert node_script.asked[:3] == ["1.2.1", "1.2.2", "1.2.3"]
    assert again == ["1.2.1", "1.2.2", "1.2.3", "1.2.4"][-len(again) :]
    assert len(again) >= 2
