"""``kill -9`` at any moment: every fact that the engine told holds after the restart."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.waiting import until

ROOT = Path(__file__).parents[2]
FINAL = ("Success", "Failure")


class Child:
    """The other process, and all that it told."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.crash_child", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def __call__(self, verb: str, argument: Any = None) -> Any:
        """Return the answer; BrokenPipeError if it died before."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([verb, argument]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer.endswith("\n"):
            raise BrokenPipeError
        return json.loads(answer)

    def kill(self) -> None:
        self.process.kill()

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # what was written to the dead one
                    pipe.close()
        self.process.wait(10)


class Ledger:
    """What was acknowledged; ``maybe`` holds what was asked and not answered."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()
        self.maybe: tuple[str, Any] | None = None

    def ask(self, child: Child, verb: str, argument: Any = None) -> Any:
        self.maybe = (verb, argument)
        answer = child(verb, argument)
        self.maybe = None
        return answer

    def see(self, views: dict[str, list[Any]]) -> None:
        assert set(self.jobs) <= set(views), "a job was lost"
        assert not self.deleted & set(views), "a deleted job came back"
        for id, view in views.items():
            known = self.jobs.setdefault(id, {})
            final = known.get("final")
            if final is not None:
                assert view == final, "an ended job changed"
            if view[0] in FINAL:
                known["final"] = view
            if known.get("asked") == "pause":
                assert view[0] not in ("Pending",), "a paused job runs again"
            if known.get("asked") == "cancel" and view[0] in ("Pending", "Paused"):
                raise AssertionError("a canceled job is back")

    def load(self, child: Child, choose: random.Random) -> None:
        """Ask for one thing and note the answer."""
        kind = choose.choice(
            ["count", "count", "fail", "write", "pause", "resume", "cancel", "resubmit", "delete", "views"]
        )
        if kind in ("count", "fail", "write"):
            steps = choose.choice([2, 3, 50, 2000])
            priority = choose.randrange(-3, 4)
            id = self.ask(child, kind, [steps, priority])
            self.jobs[id] = {"written": f"{steps}" * 1000} if kind == "write" else {}
        elif kind == "views":
            self.see(self.ask(child, "views"))
        elif self.jobs:
            self.command(child, kind, choose.choice(list(self.jobs)))

    def command(self, child: Child, kind: str, id: str) -> None:
        known = self.jobs[id]
        if kind in ("resume", "resubmit"):  # asked for, it may have happened also without an answer
            known.pop("asked", None)
            before = known.pop("final", None)
            if not self.ask(child, kind, id) and before is not None:
                known["final"] = before
        elif self.ask(child, kind, id):
            if kind == "delete":
                del self.jobs[id]
                self.deleted.add(id)
            else:  # of both, the pause is honoured
                known["asked"] = "pause" if "pause" in (kind, known.get("asked")) else kind

    def forget_what_is_open(self) -> None:
        """Nothing is known of a job after a command without an answer."""
        if self.maybe is None:
            return
        verb, argument = self.maybe
        if verb == "delete":
            self.jobs.pop(argument, None)
        elif verb in ("pause", "resume", "cancel", "resubmit"):
            self.jobs[argument] = {key: value for key, value in self.jobs[argument].items() if key == "written"}


def test_kill_at_any_moment(tmp_path: Path) -> None:
    choose = random.Random(5)
    ledger = Ledger()
    for _ in range(8):
        child = Child(tmp_path)
        ledger.see(child("views"))
        killer = threading.Timer(choose.uniform(0.02, 0.3), child.kill)
        killer.start()
        try:
            while True:
                ledger.load(child, choose)
        except BrokenPipeError:
            ledger.forget_what_is_open()
        killer.join()
        child.close()
    child = Child(tmp_path)
    ledger.see(child("views"))
    until(lambda: all(view[0] in (*FINAL, "Paused") for view in child("views").values()), what="the end of all jobs")
    written = 0
    for id, view in child("views").items():
        if view[0] == "Success" and "written" in ledger.jobs[id]:
            assert child("output", id) == ledger.jobs[id]["written"]
            written += 1
    assert written > 5
    assert child("errors") == []
    child.kill()
    child.close()
    files = {path.name for path in (tmp_path / "outputs").iterdir()}
    assert len(files) >= written
