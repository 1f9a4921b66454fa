"""Small files of several clients are stored in batches: each that was answered outlives kill -9, for itself.

``pytest tests/crash/test_small_uploads.py --long`` for 30 kills; the seed of a failed run is in its message.
"""

import random
import sys
import threading
import time

import pytest

from orthanc_lab.bench import material
from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.bench.wire import Wire, http_request
from orthanc_lab.dicom.files.scan import scan
from orthanc_lab.dicom.identifiers import identify
from tests.crash.audit import check_changes, check_instances
from tests.crash.facts import Facts, md5

CLIENTS = 6
FILES = 100  # of each client, between two kills
COMPARED = 40  # files after each kill


@pytest.fixture
def server():
    server = ServerProcess("orthanc-lab", f"{sys.executable} -m orthanc_lab serve {{config}}", {})
    yield server
    server.remove()


class Sender(threading.Thread):
    """One client: sends one file after the other, until there is none left or the server dies."""

    def __init__(self, port, facts, files):
        super().__init__(daemon=True)
        self._wire = Wire(port)
        self._facts = facts
        self._files = files
        self.answered = 0
        self.error = None

    def run(self):
        try:
            for key, content in self._files:
                self._send(key, content)
                self.answered += 1
        except (ConnectionError, EOFError):
            pass  # the server was killed: the last file stays "maybe"
        except BaseException as error:
            self.error = error
        finally:
            self._wire.close()

    def _send(self, key, content):
        facts = self._facts
        with facts.lock:
            facts.maybe_stored[key] = md5(content)
        status, _, body = self._wire.send(http_request("POST", "/instances", content), keep=True)
        assert status == 200, body
        with facts.lock:
            facts.stored[key] = facts.maybe_stored.pop(key)


def files():
    # Few of one study: clients change the same patient, study and series at the same time.
    return [(identify(scan(content)).instance, content) for content in material.small_instances(FILES * CLIENTS, 7)]


@pytest.mark.timeout(1800)
def test_small_files_of_several_clients_outlive_a_kill(server, request):
    kills = request.config.getoption("--kills")
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    facts, answered, cut = Facts(), 0, 0
    server.start()
    for round_ in range(kills):
        sent = files()
        senders = [Sender(server.port, facts, sent[number::CLIENTS]) for number in range(CLIENTS)]
        for sender in senders:
            sender.start()
        time.sleep(chance.uniform(0.02, 0.3))  # the moment of the kill is what is drawn by chance
        server.kill()
        for sender in senders:
            sender.join(40)
            assert sender.error is None, f"seed {seed}, kill {round_}: {sender.error!r}"
            answered += sender.answered
            cut += sender.answered < FILES
        server.start()
        compared = set(chance.sample(sorted(key for key, _ in sent), COMPARED))
        try:
            present = check_instances(
                server, facts, {key for key, _ in sent} - compared | facts.stored.keys() - compared
            )
            check_changes(server, facts, present)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, kill {round_}: {error}") from error
    print(f"{kills} kills, {answered} answered uploads, {cut} clients cut in the middle")
    assert answered
    assert cut
