"""An engine in a process of its own, told what to do line by line: ``python -m tests.jobs.crash_child FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.ports import JobView
from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from orthanc_lab.protocol.threads import ThreadExecutor
from tests.jobs.doubles import CountingJob, FailingJob, WritingJob

ERRORS: list[str] = []


def make_engine(folder: Path, outputs: FileOutputs) -> JobsEngine:
    def rewrite(payload: dict[str, Any]) -> WritingJob:
        return WritingJob(outputs, payload["text"], payload["output"])

    clock = SystemClock()
    return JobsEngine(
        SqliteJobStore(folder / "jobs.sqlite3"),
        outputs,
        clock,
        SystemIdentifiers(),
        ThreadExecutor(clock),
        restores={"Counting": CountingJob.restore, "Failing": FailingJob.restore, "Writing": rewrite},
        history_size=100_000,
        media_archive_size=100_000,
        on_error=lambda error: ERRORS.append(repr(error)),
    )


def facts(view: JobView) -> list[Any]:
    return [view.state.value, view.progress, view.priority, view.error_code, view.error_details, view.content]


def obey(engine: JobsEngine, outputs: FileOutputs, verb: str, argument: Any) -> Any:
    match verb:
        case "count":
            return engine.submit(CountingJob(argument[0], name="c"), argument[1])
        case "fail":
            return engine.submit(FailingJob(at=1, steps=argument[0]), argument[1])
        case "write":
            return engine.submit(WritingJob(outputs, f"{argument[0]}" * 1000), argument[1])
        case "output":
            output = engine.output(argument, "archive")
            if output is None:
                return None
            with outputs.open(output.name) as file:
                return file.read().decode()
        case "views":
            return {view.id: facts(view) for view in engine.views()}
        case "errors":
            return ERRORS
    return getattr(engine, verb)(argument)


def main() -> None:
    folder = Path(sys.argv[1])
    outputs = FileOutputs(folder / "outputs", SystemIdentifiers())
    engine = make_engine(folder, outputs)
    engine.start()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(engine, outputs, *json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
