"""A job that is made again after any of its steps ends as if nothing had happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.rewriting.rewrite_job import RewriteJob
from orthanc_lab.protocol.errors import OrthancError
from tests.modification.rewriting_jobs import KINDS, bulk, contents, split, tools_at


@pytest.mark.parametrize("kind", KINDS)
def test_made_again_after_every_step(tmp_path: Path, kind: str) -> None:
    make, restored = KINDS[kind]
    undisturbed = tools_at(tmp_path / "undisturbed")
    job = make(undisturbed)
    while job.step():
        pass
    disturbed = tools_at(tmp_path / "disturbed")
    again = make(disturbed)
    more = True
    while more:
        saved = json.loads(json.dumps(again.serialize()))
        again.start()
        more = again.step()  # done, and forgotten by a crash before the journal knew of it
        if more:
            twice = restored(disturbed, saved)
            twice.start()
            more = twice.step()
            again = restored(disturbed, json.loads(json.dumps(twice.serialize())))
    assert contents(disturbed.storage) == contents(undisturbed.storage)
    final = restored(disturbed, json.loads(json.dumps(again.serialize())))
    assert final.content() == job.content()
    assert job.progress() == 1.0
    for tools in (undisturbed, disturbed):
        tools.storage.close()


@pytest.mark.parametrize("kind", KINDS)
def test_from_the_beginning_once_more(tmp_path: Path, kind: str) -> None:
    make, _ = KINDS[kind]
    tools = tools_at(tmp_path)
    job = make(tools)
    for _ in range(2):
        job.step()
    half = contents(tools.storage)
    job.reset()
    assert job.progress() == 0.0
    for _ in range(2):
        job.step()
    assert contents(tools.storage) == half
    tools.storage.close()


def test_a_vanished_instance(tmp_path: Path) -> None:
    tools = tools_at(tmp_path)
    for make, code, counted in ((bulk, 17, 0), (split, -1, 1)):
        job = make(tools)
        with pytest.raises(OrthancError) as raised:
            _with_one_missing(tools, job)
        assert raised.value.code == code
        assert job.content()["FailedInstancesCount"] == counted
    tools.storage.close()


def _with_one_missing(tools: JobTools, job: RewriteJob) -> None:
    saved = job.serialize()
    victim = saved["sources"]["instances"][0]
    if tools.storage.find_level(victim) is not None:
        tools.storage.delete(victim)
    job.step()
