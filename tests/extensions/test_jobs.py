"""A kind of job that a user wrote is a job like any other."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

import orthanc_lab
from orthanc_lab import OrthancError, samples
from orthanc_lab.extensions import Job, StopReason
from orthanc_lab.testing.faults import Faults
from tests.extensions.conftest import Asking
from tests.extensions.kinds import CALLS, ENTERED, GATES, Counting
from tests.waiting import until


def test_synchronous_and_asynchronous(asking: Asking) -> None:
    answer = asking.ask("POST", "/extensions/Counting", json={"To": 3, "Priority": 5})
    assert answer.json() == {"Done": 3, "To": 3}
    id = asking.submit("/extensions/Counting", To=2, Priority=7)
    asking.client.jobs[id].wait(timeout=20)
    job = asking.job(id)
    assert (job["Type"], job["Priority"], job["State"], job["Progress"]) == ("Counting", 7, "Success", 100)
    assert job["Content"] == {"Done": 2, "To": 2}
    assert sorted(one["Priority"] for one in asking.get("/jobs?expand")) == [5, 7]


@pytest.mark.parametrize(
    ("body", "status", "details"),
    [
        (b"{", 400, "The body must be a JSON object"),
        (b"[1]", 400, "The body must be a JSON object"),
        (b'{"To": 1, "Priority": "high"}', 400, "Integer value expected in field: Priority"),
        (b'{"To": 1, "Synchronous": 1}', 400, "Boolean value expected in field: Synchronous"),
        (b'{"To": "x"}', 400, "To must be a number"),
        (b"", 400, "To must be a number"),
        (b'{"To": 1, "More": NaN}', 400, "The body must be a JSON object"),
        (b'{"To": 1, "More": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "The body must be a JSON object"),
    ],
)
def test_content_that_does_not_fit(asking: Asking, body: bytes, status: int, details: str) -> None:
    answer = asking.ask("POST", "/extensions/Counting", data=body)
    assert (answer.status_code, answer.json().get("Details", "")) == (status, details)
    assert asking.get("/jobs") == []


def test_pause_waits_for_the_step_and_resume_goes_on_in_a_new_object(asking: Asking) -> None:
    id = asking.submit("/gated/pausing", To=3)
    assert ENTERED["pausing"].acquire(timeout=20)
    GATES["pausing"].release()
    assert ENTERED["pausing"].acquire(timeout=20)
    assert asking.command(id, "pause") == 200
    assert asking.job(id)["State"] == "Running", "its step has not returned"
    GATES["pausing"].release()
    until(lambda: asking.job(id)["State"] == "Paused")
    until(lambda: CALLS["pausing"] == ["start", "step", "step", "paused"])
    assert asking.job(id)["Content"] == {"Done": 2, "To": 3}
    assert asking.command(id, "resume") == 200
    GATES["pausing"].release()
    asking.client.jobs[id].wait(timeout=20)
    until(lambda: CALLS["pausing"][4:] == ["start", "step", "success"])


def test_cancel_and_resubmit(asking: Asking) -> None:
    id = asking.submit("/gated/again", To=2)
    assert ENTERED["again"].acquire(timeout=20)
    assert asking.command(id, "cancel") == 200
    GATES["again"].release()
    until(lambda: asking.job(id)["State"] == "Failure")
    assert asking.job(id)["ErrorCode"] == 37
    assert asking.command(id, "resubmit") == 200
    GATES["again"].release(2)
    asking.client.jobs[id].wait(timeout=20)
    assert asking.job(id)["Content"] == {"Done": 2, "To": 2}


@pytest.fixture
def serving() -> Iterator[Callable[..., Asking]]:
    """Start a server with extensions that a test has made."""
    servers = []

    def started(*extensions: Any, **options: Any) -> Asking:
        servers.append(orthanc_lab.in_process(extensions=extensions, **options))
        return Asking(servers[-1])

    yield started
    for server in servers:
        server.stop()
        assert server.errors == []


def of_step(step: Callable[[Any], Any], **members: Any) -> type[Job]:
    return type("Made", (Job,), {"step": step, **members})


def raising(error: BaseException) -> Callable[[Any], Any]:
    def step(self: Any) -> Any:
        raise error

    return step


def setting(name: str, value: Any) -> Callable[[Any], Any]:
    def step(self: Any) -> Any:
        setattr(self, name, value)
        return False

    return step


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("step", "code", "details"),
    [
        (raising(ValueError("no luck")), 1, "ValueError: no luck"),
        (raising(KeyError()), 1, "KeyError"),
        (raising(SystemExit(3)), 1, "SystemExit: 3"),
        (raising(GeneratorExit()), 1, "GeneratorExit"),  # which would end the worker if it came from a job of ours
        (raising(RecursionError("too deep")), 1, "RecursionError: too deep"),
        (raising(OrthancError(17, "It is gone")), 17, "It is gone"),
        (lambda self: None, 1, "step() of Made returned None: it must return True while more remains, else False"),
        (lambda self: 1, 1, "step() of Made returned 1: it must return True while more remains, else False"),
        (setting("state", {"a": {1}}), 1, "The state of Made cannot be written as JSON: it has a set"),
        (setting("state", [1]), 1, "The state of Made must be a dict, not [1]"),
        (setting("content", {1: 2}), 1, "The content of Made cannot be written as JSON: it has the key 1, which"),
        (setting("content", {"a": CIRCLE}), 1, "The content of Made cannot be written as JSON: it has more than 200"),
        (setting("progress", "half"), 1, "The progress of Made must be a number from 0 to 1, not 'half'"),
        (setting("progress", float("nan")), 1, "The progress of Made cannot be written as JSON: it has the number nan"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said_in_the_job(
    serving: Callable[..., Asking], step: Callable[[Any], Any], code: int, details: str
) -> None:
    asking = serving(of_step(step), executor="inline")
    answer = asking.ask("POST", "/extensions/Made", json={})
    assert answer.json()["OrthancStatus"] == code
    assert answer.json()["Details"].startswith(details)
    (job,) = asking.get("/jobs?expand")
    assert (job["State"], job["ErrorCode"]) == ("Failure", code)
    assert job["ErrorDetails"].startswith(details)


def test_progress_beyond_its_ends_is_cut(serving: Callable[..., Asking]) -> None:
    asking = serving(of_step(lambda self: setattr(self, "progress", 7) or self.orthanc.get("/jobs") != []))
    id = asking.submit("/extensions/Made")
    until(lambda: asking.job(id)["Progress"] == 100)
    asking.command(id, "cancel")


def test_an_error_of_prepare_is_the_answer(serving: Callable[..., Asking]) -> None:
    asking = serving(of_step(lambda self: False, prepare=raising(ZeroDivisionError("by nothing"))))
    answer = asking.ask("POST", "/extensions/Made")
    assert (answer.status_code, answer.json()["Details"]) == (500, "ZeroDivisionError: by nothing")
    assert asking.get("/jobs") == []


def test_a_step_that_never_returns_holds_nobody_up(asking: Asking) -> None:
    asking.client.upload(samples.dicom_files("ct")[0])
    (patient,) = asking.get("/patients")
    hanging = [asking.submit(f"/hanging/{patient}", To=1), asking.submit("/hanging/other", To=1)]
    assert asking.ask("POST", "/extensions/Counting", json={"To": 1}).json() == {"Done": 1, "To": 1}
    for id in hanging:
        until(lambda id=id: asking.job(id)["State"] == "Failure")
        job = asking.job(id)
        assert (job["ErrorCode"], job["ErrorDetails"]) == (16, "A step of Hanging has not returned within 0.3 seconds")
    GATES[patient].release()
    until(lambda: CALLS[patient][-1] == "failure")
    assert asking.get(f"/patients/{patient}/labels") == [], "its job has ended: it changes nothing any more"


def test_a_job_whose_step_never_returns_is_canceled_and_resubmitted(asking: Asking) -> None:
    id = asking.submit("/gated/stuck", To=1)
    assert ENTERED["stuck"].acquire(timeout=20)
    assert asking.command(id, "cancel") == 200
    until(lambda: asking.job(id)["ErrorCode"] == 37)
    assert asking.command(id, "resubmit") == 200
    assert ENTERED["stuck"].acquire(timeout=20), "the second run does not wait for the first"
    GATES["stuck"].release(2)
    asking.client.jobs[id].wait(timeout=20)


def test_a_server_stops_although_a_step_never_returns() -> None:
    with orthanc_lab.serve(extensions=[Stuck]) as server:
        id = Asking(server).submit("/extensions/Stuck")
        assert ENTERED["Stuck"].acquire(timeout=20)
        began = time.monotonic()
        server.restart()
        assert time.monotonic() - began < 15
        GATES["Stuck"].release(2)
        Asking(server).client.jobs[id].wait(timeout=20)
        assert server.errors == []


class Stuck(Job):
    """Waits for the test."""

    def prepare(self) -> None:
        from threading import Semaphore

        ENTERED["Stuck"], GATES["Stuck"] = Semaphore(0), Semaphore(0)

    def step(self) -> bool:
        ENTERED["Stuck"].release()
        assert GATES["Stuck"].acquire(timeout=60)
        return False


class Report(Job):
    """Leaves two files, one of them large."""

    def step(self) -> bool:
        if not self.state:
            self.output("report", "a;µ\n".encode(), "text/csv", "report.csv")
            self.state["first"] = True
            return True
        self.output("picture", bytes(100_000))
        if self.parameters.get("Twice"):
            self.output("report", b"")
        return False


def test_outputs(serving: Callable[..., Asking]) -> None:
    asking = serving(Report)
    id = asking.submit("/extensions/Report")
    asking.client.jobs[id].wait(timeout=20)
    answer = asking.ask("GET", f"/jobs/{id}/report")
    assert (answer.content.decode(), answer.headers["Content-Type"]) == ("a;µ\n", "text/csv")
    assert answer.headers["Content-Disposition"] == 'filename="report.csv"'
    assert len(asking.ask("GET", f"/jobs/{id}/picture").content) == 100_000
    assert asking.ask("DELETE", f"/jobs/{id}/picture").status_code == 200
    assert asking.ask("GET", f"/jobs/{id}/picture").status_code == 404


def test_a_job_that_fails_leaves_no_outputs(serving: Callable[..., Asking]) -> None:
    asking = serving(Report)
    id = asking.submit("/extensions/Report", Twice=True)
    with pytest.raises(orthanc_lab.JobFailedError, match="'report' cannot be the key of an output, or is one already"):
        asking.client.jobs[id].wait(timeout=20)
    assert asking.ask("GET", f"/jobs/{id}/picture").status_code == 404
    until(lambda: list((asking.server.folder / "jobs-outputs").iterdir()) == [])


def test_an_output_that_does_not_fit_on_the_disk_leaves_nothing_there(serving: Callable[..., Asking]) -> None:
    faults = Faults(seed=7)
    asking = serving(Report, faults=faults)
    with faults.on("disk full at a byte", at_byte=90_000):
        id = asking.submit("/extensions/Report")
        with pytest.raises(orthanc_lab.JobFailedError, match="Cannot write the output picture: No space left"):
            asking.client.jobs[id].wait(timeout=20)
    until(lambda: list((asking.server.folder / "jobs-outputs").iterdir()) == [])


@pytest.mark.parametrize(
    ("arguments", "details"),
    [
        (("../x", b""), "'../x' cannot be the key of an output, or is one already"),
        (("x", "text"), "The output x must be bytes, not str"),
        (("x", b"", "text/plain\r\nA: b"), r"'text/plain\r\nA: b' cannot be the type or the file name of the output x"),
    ],
)
def test_outputs_that_do_not_fit(serving: Callable[..., Asking], arguments: tuple[Any, ...], details: str) -> None:
    asking = serving(of_step(lambda self: self.output(*arguments)), executor="inline")
    assert asking.ask("POST", "/extensions/Made").json()["Details"] == details


def test_a_job_reads_and_writes_what_is_stored(serving: Callable[..., Asking]) -> None:
    class Copy(Job):
        """Copies a study under another name."""

        route = "/studies/{id}/copy"

        def step(self) -> bool:
            import pydicom

            (series,) = self.orthanc.get(f"/studies/{self.parameters['id']}")["Series"]
            (instance,) = self.orthanc.get(f"/series/{series}")["Instances"]
            file = pydicom.dcmread(io.BytesIO(self.orthanc.read(f"/instances/{instance}/file")))
            file.PatientID, changed = "copy", io.BytesIO()
            file.save_as(changed)
            self.content["Copy"] = self.orthanc.post("/instances", changed.getvalue())["ID"]
            return False

    asking = serving(Copy)
    asking.client.upload(samples.dicom_files("ct")[0])
    (study,) = asking.get("/studies")
    made = asking.ask("POST", f"/studies/{study}/copy").json()["Copy"]
    assert asking.get(f"/instances/{made}/simplified-tags")["PatientID"] == "copy"
    assert asking.ask("GET", f"/instances/{made}/metadata/Origin").text == "Plugins"
    assert asking.ask("POST", "/studies/nothing/copy").json()["OrthancStatus"] == 17


def test_a_job_goes_on_after_a_restart() -> None:
    with orthanc_lab.serve(extensions=[Counting, Stuck]) as server:
        asking = Asking(server)
        id = asking.submit("/extensions/Stuck")
        assert ENTERED["Stuck"].acquire(timeout=20)
        waiting = asking.submit("/extensions/Counting", To=3)
        asking.client.jobs[waiting].wait(timeout=20)
        GATES["Stuck"].release()
        server.restart()
        assert Asking(server).job(id)["Type"] == "Stuck"
        Asking(server).client.jobs[id].wait(timeout=20)


def test_a_job_waits_for_its_extension_over_restarts(tmp_path: Any) -> None:
    with orthanc_lab.serve(folder=tmp_path, extensions=[Counting], ConcurrentJobs=1) as server:
        id = Asking(server).submit("/extensions/Counting", To=3)
        asking = Asking(server)
        asking.client.jobs[id].wait(timeout=20)
        paused = asking.submit("/extensions/Counting", To=10**9)
        until(lambda: asking.job(paused)["Progress"] >= 0 and asking.job(paused)["Content"].get("Done", 0) > 5)
        asking.command(paused, "pause")
        until(lambda: asking.job(paused)["State"] == "Paused")
        before = asking.job(paused)
    with orthanc_lab.serve(folder=tmp_path) as server:
        job = Asking(server).job(paused)
        words = "Unknown type of job: Counting; its extension may be missing"
        assert (job["State"], job["ErrorCode"], job["ErrorDetails"]) == ("Failure", 2, words)
        assert Asking(server).job(id)["State"] == "Success"
    with orthanc_lab.serve(folder=tmp_path, extensions=[Counting]) as server:
        after = Asking(server).job(paused)
        assert {**after, "Timestamp": ""} == {**before, "Timestamp": ""}
        assert Asking(server).command(paused, "resume") == 200
        until(lambda: Asking(server).job(paused)["Content"]["Done"] > before["Content"]["Done"])
        assert Asking(server).command(paused, "cancel") == 200


class Threads(Job):
    """Notes the thread of each call."""

    save_every_step = False
    seen: ClassVar[list[tuple[str, int]]] = []

    def start(self) -> None:
        self.seen.append(("start", threading.get_ident()))

    def step(self) -> bool:
        self.seen.append(("step", threading.get_ident()))
        self.state["done"] = self.state.get("done", 0) + 1
        return bool(self.state["done"] < 3)

    def stop(self, reason: StopReason) -> None:
        self.seen.append((reason.value, threading.get_ident()))


def test_one_thread_makes_the_calls_of_a_run(serving: Callable[..., Asking]) -> None:
    asking = serving(Threads)
    id = asking.submit("/extensions/Threads")
    asking.client.jobs[id].wait(timeout=20)
    until(lambda: len(Threads.seen) == 5)
    assert [name for name, _ in Threads.seen] == ["start", "step", "step", "step", "success"]
    assert len({thread for _, thread in Threads.seen}) == 1
    assert threading.get_ident() not in {thread for _, thread in Threads.seen}
    events = [event.event.value for event in asking.client.jobs.events()]
    assert events.count("Stepped") == 2, "it is not saved at each step"


def test_a_step_for_which_there_is_no_thread_is_not_made_later(
    serving: Callable[..., Asking], monkeypatch: pytest.MonkeyPatch
) -> None:
    Threads.seen.clear()
    asking = serving(Threads)
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("extension-"):
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        job = asking.client.jobs[asking.submit("/extensions/Threads")]
        with pytest.raises(orthanc_lab.JobFailedError):
            job.wait(timeout=20)
    asking.server.errors.clear()
    job.resubmit()
    job.wait(timeout=20)
    until(lambda: len(Threads.seen) >= 5)
    assert [name for name, _ in Threads.seen] == ["start", "step", "step", "step", "success"]
