"""An engine in a process of its own, told what to do line by line: ``python -m tests.jobs.crash_child FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.ports import JobView
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from tests.jobs.doubles import CountingJob, FailingJob, WritingJob

ERRORS: list[str] = []


def make_engine(folder: Path) -> JobsEngine:
    holder: list[JobsEngine] = []

    def rewrite(payload: dict[str, Any]) -> WritingJob:
        job = WritingJob.__new__(WritingJob)
        CountingJob.__init__(job, 1)
        job.text, job.path = payload["text"], folder / "outputs" / payload["file"]
        return job

    restores = {"Counting": CountingJob.restore, "Failing": FailingJob.restore, "Writing": rewrite}
    holder.append(
        JobsEngine(
            folder / "jobs.sqlite3",
            folder / "outputs",
            SystemClock(),
            SystemIdentifiers(),
            restores=restores,
            history_size=100_000,
            media_archive_size=100_000,
            on_error=lambda error: ERRORS.append(repr(error)),
        )
    )
    return holder[0]


def facts(view: JobView) -> list[Any]:
    return [view.state.value, view.progress, view.priority, view.error_code, view.error_details, view.content]


def obey(engine: JobsEngine, verb: str, argument: Any) -> Any:
    match verb:
        case "count":
            return engine.submit(CountingJob(argument[0], name="c"), argument[1])
        case "fail":
            return engine.submit(FailingJob(at=1, steps=argument[0]), argument[1])
        case "write":
            return engine.submit(WritingJob(engine, f"{argument[0]}" * 1000), argument[1])
        case "output":
            output = engine.output(argument, "archive")
            return output and output.path.read_text()
        case "views":
            return {view.id: facts(view) for view in engine.views()}
        case "errors":
            return ERRORS
    return getattr(engine, verb)(argument)


def main() -> None:
    engine = make_engine(Path(sys.argv[1]))
    engine.start()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(engine, *json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
