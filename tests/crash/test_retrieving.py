"""A server that is killed while it retrieves: what it has answered for is there, and its job goes on to the end.

``pytest tests/crash/test_retrieving.py --long`` for more kills; the seed of a failed run is in its message.
"""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

import orthanc_lab
from tests.queries.answering import elements
from tests.queries.conftest import IMPLICIT, Asked
from tests.queries.scripted_node import Conversation, ScriptedNode
from tests.queries.sending import Instance, instance
from tests.waiting import until

STUDIES, EACH = 4, 8
BODY = {"Level": "Study", "Resources": [{"StudyInstanceUID": f"1.2.{n}"} for n in range(STUDIES)], "Asynchronous": True}


class Sender:
    """A node that sends the instances of each study, and tells when some have been answered for."""

    def __init__(self) -> None:
        self.answered: set[str] = set()  # with success
        self.reached = threading.Event()
        self._left = 0

    def wait_for(self, count: int) -> None:
        """Set the event after so many responses."""
        self.reached.clear()
        self._left = count

    def instances(self, study: int) -> list[Instance]:
        """Return the instances of a study."""
        return [instance(study * EACH + number + 1) for number in range(EACH)]

    def __call__(self, conversation: Conversation) -> None:
        for request in conversation.messages():
            study = int(elements(request)["0020,000d"].rstrip(b"\0").split(b".")[-1])
            for sent in self.instances(study):
                conversation.store(conversation.context_of(sent.sop_class), sent.sop_class, sent.uid, sent.data)
                response = conversation.receive()
                if response is None:
                    return
                if response.command[0x0900] == 0:
                    self.answered.add(sent.uid)
                self._left -= 1
                if not self._left:
                    self.reached.set()
            conversation.answer(request, 0, completed=EACH, failed=0, warning=0)


def stored(asked: Asked) -> list[str]:
    instances = asked.get("/instances?expand")
    return sorted(each["MainDicomTags"]["SOPInstanceUID"] for each in instances)


def wait(sender: Sender, asked: Asked, job: str) -> None:
    """Wait for the responses, or the end of the job."""
    until(lambda: sender.reached.is_set() or asked.get(f"/jobs/{job}")["State"] == "Success")


def test_killed_while_it_retrieves(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    kills = max(1, request.config.getoption("--kills") - 3)
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    sender = Sender()
    with ScriptedNode(sender, syntax=IMPLICIT) as node:
        options = {"folder": tmp_path, "DicomModalities": {"node": ["NODE", "127.0.0.1", node.port]}}
        job = ""
        for _ in range(kills):
            with orthanc_lab.serve(process=True, **options) as server:
                asked = Asked(server.url, node, is_real=False)
                assert sender.answered <= set(stored(asked)), f"seed {seed}"
                sender.wait_for(chance.randint(1, STUDIES * EACH // 2))
                if not job or asked.get(f"/jobs/{job}")["State"] == "Success":
                    job = asked.post("/modalities/node/get", BODY)["ID"]
                wait(sender, asked, job)
                server.kill()
        with orthanc_lab.serve(process=True, **options) as server:
            asked = Asked(server.url, node, is_real=False)
            assert sender.answered <= set(stored(asked)), f"seed {seed}"
            until(lambda: asked.get(f"/jobs/{job}")["State"] == "Success", what=f"seed {seed}")
            every = [sent.uid for study in range(STUDIES) for sent in sender.instances(study)]
            assert stored(asked) == sorted(every), f"seed {seed}"
