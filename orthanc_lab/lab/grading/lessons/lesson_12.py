"""12 · Schedules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orthanc_lab import samples
from orthanc_lab.client.client import Client
from orthanc_lab.client.hierarchy import Study
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require
from orthanc_lab.lab.grading.rival import Rival
from orthanc_lab.protocol.seeded import seeded
from orthanc_lab.server.embedding.in_process import InProcessServer
from orthanc_lab.server.embedding.serve import in_process
from orthanc_lab.server.http.server import HttpServer
from orthanc_lab.testing.schedules.exploring import replay
from orthanc_lab.testing.schedules.simulation import Simulation

SERVERS = ()
_MOST_STEPS = 1000
_MOST_MOVES = 10_000
_COUNTS = (1024, 1025, 1026)  # metadata


def _study(client: Client) -> Study:
    client.create_dicom(None, {"PatientName": "Phantom^Paul"})
    return client.studies.find()[0]


def _only_one_is_counted(evidence: Evidence) -> None:
    """Let the three readers of the lesson run under the student's schedule, on a server of our own."""
    counted: list[str] = []

    def three_readers(simulation: Simulation) -> None:
        server = simulation.server()
        address = f"{server.url}{_study(Client.from_server(server)).path}/metadata/{_COUNTS[0]}"

        def open_study() -> None:
            answer = server.session.get(address)
            server.session.put(address, data=str(1 + (int(answer.text) if answer.ok else 0)))

        for name in ("Ada", "Bob", "Cem"):
            simulation.client(name, open_study)
        simulation.run()
        counted.append(server.session.get(address).text)

    lines = evidence.values["lines"]
    require(isinstance(lines, str), "it is not a text")
    try:
        replay(three_readers, str(lines), most_moves=_MOST_MOVES)
    except (ValueError, AssertionError) as error:
        require(False, f"it cannot be replayed: {str(error).splitlines()[0]}")
    require(counted == ["1"], f"{', '.join(counted)} visits are counted")


@contextmanager
def _reachable(server: InProcessServer) -> Iterator[str]:
    """Let another process reach a server without a socket."""
    http = HttpServer(server.application)
    http.start()
    try:
        yield f"http://127.0.0.1:{http.port}"
    finally:
        http.stop()


def _subtracts_with_care(evidence: Evidence) -> None:
    """Let the student's function work on a server of our own, where somebody else is quicker, as often as we want."""
    rival = Rival()
    with in_process(CheckRevisions=True, faults=rival) as server, _reachable(server) as url:
        client = Client.from_server(server)
        study = _study(client)
        for count, times in zip(_COUNTS, (0, 1, 3), strict=True):
            path = f"{study.path}/metadata/{count}"
            client.transport.send("PUT", path, data=b"5")
            rival.path, rival.left = path, times
            made = "__import__('types').SimpleNamespace(session=__import__('requests').Session(), url='')"
            error = evidence.notebook.run(f"close({made}, {url + path!r}, 'Ada')")
            left = rival.left
            rival.left = 0
            number = client.transport.get(path)
            require(not error, f"it raises {error}")
            require(left == 0, "it gives up before it has written its number")
            expected = 5 - 1 + 10 * times
            require(
                number == expected, f"5 - 1, with 10 added {times} times by somebody else, is {expected}, not {number}"
            )


def _third_is_faster(evidence: Evidence) -> None:
    """Run the three jobs of the lesson under the student's seed, on a server of our own."""
    seed = evidence.values["seed"]
    require(isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0, "it is not a seed")
    with in_process(executor=seeded(int(seed)), ConcurrentJobs=2) as server:
        client = Client.from_server(server)
        client.upload(samples.path("ct"))
        study = client.studies.find()[0]
        _, second, third = [study.anonymize() for _ in range(3)]
        for _ in range(_MOST_STEPS):
            if not server.step() or third.refresh().progress:
                break
        require(third.progress > 0 and second.refresh().progress == 0, "the second job is faster under this seed")


CRITERIA = {
    1: Criterion({"lines": "lines"}, _only_one_is_counted),
    2: Criterion({}, _subtracts_with_care),
    3: Criterion({"seed": "seed"}, _third_is_faster),
}
