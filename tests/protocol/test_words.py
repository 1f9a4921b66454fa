"""Levels, times, errors and identifiers: the words of the floor."""

from datetime import UTC, datetime

import pytest

from orthanc_lab.protocol.errors import ERROR_TEXTS, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.ports import ManualClock, SeededIdentifiers
from orthanc_lab.protocol.timestamps import iso_micros, iso_seconds, parse_iso


@pytest.mark.parametrize("text", ["study", "Study", "STUDIES", "studies"])
def test_levels_in_any_spelling(text):
    assert Level.parse(text) is Level.STUDY


def test_an_unknown_level_is_refused_in_orthancs_words():
    with pytest.raises(OrthancError, match="Invalid resource type 'Foo'") as caught:
        Level.parse("Foo")
    assert (caught.value.code, caught.value.status) == (3, 400)


def test_times():
    moment = datetime(2019, 3, 6, 9, 52, 23, 753851, tzinfo=UTC)
    assert iso_micros(moment) == "20190306T095223.753851"
    assert iso_seconds(moment) == "20190306T095223"
    assert iso_micros(moment.replace(microsecond=0)) == "20190306T095223"
    assert parse_iso(iso_micros(moment)) == moment


def test_every_named_code_has_its_text():
    assert all(code in ERROR_TEXTS for code in ErrorCode)


def test_seeded_identifiers_are_the_same_at_every_run():
    first, second = SeededIdentifiers(5), SeededIdentifiers(5)
    assert [first.uuid(), first.uid()] == [second.uuid(), second.uid()]
    assert len(first.uid()) <= 64


def test_a_manual_clock_moves_by_hand():
    clock = ManualClock()
    begin = clock.now()
    clock.advance(1.5)
    assert (clock.now() - begin).total_seconds() == clock.monotonic() == 1.5
