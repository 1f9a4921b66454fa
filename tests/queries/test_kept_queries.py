"""The queries that are kept: the oldest go when their answers take too much memory."""

from __future__ import annotations

import pytest

from orthanc_lab.dimse import kept_queries
from orthanc_lab.dimse.answers import FindAnswer
from orthanc_lab.dimse.kept_queries import KeptQueries, RemoteQuery
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.ports import SystemIdentifiers


def test_many_small_answers_count_as_what_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_queries, "_MOST_BYTES", 1500)
    answers = [FindAnswer(b"1", "1.2.840.10008.1.2")] * 10  # which take ten times a hundred bytes
    query = RemoteQuery("node", Modality("NODE", "127.0.0.1", 104), Level.STUDY, {}, "", None, answers)
    kept = KeptQueries(100, SystemIdentifiers())
    first, second = kept.add(query), kept.add(query)
    assert kept.get(first) is None
    assert kept.get(second) is query
