"""The mapping of identifiers: computed, never stored."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.dicom.changing.uid_map import UidMap
from orthanc_lab.protocol.levels import LEVELS, Level
from tests.examples import examples

UIDS = st.one_of(
    st.from_regex(r"[0-2](\.[1-9][0-9]{0,8}){0,6}", fullmatch=True),
    st.integers(0, (1 << 130)).map(lambda number: f"2.25.{number}"),
    st.text(max_size=20),
)
SECRETS = st.uuids(version=4).map(str)


@examples(200)
@given(SECRETS, UIDS, st.sampled_from(LEVELS))
def test_the_same_again_after_a_restart(secret: str, old: str, level: Level) -> None:
    new = UidMap(secret).uid(level, old)
    assert new == UidMap(secret).uid(level, old)
    assert re.fullmatch(r"2\.25\.[1-9][0-9]{20,38}", new)
    assert len(new) <= 64
    assert new != old


@examples(200)
@given(SECRETS, UIDS, st.sampled_from(LEVELS))
def test_what_is_new_already_stays(secret: str, old: str, level: Level) -> None:
    uids = UidMap(secret)
    assert uids.uid(level, uids.uid(level, old)) == uids.uid(level, old)
    assert uids.patient_id(uids.patient_id(old)) == uids.patient_id(old)


@examples(100)
@given(SECRETS, SECRETS, UIDS)
def test_nothing_connects_two_jobs(one: str, other: str, old: str) -> None:
    if one == other:
        return
    assert UidMap(one).uid(Level.STUDY, old) != UidMap(other).uid(Level.STUDY, old)
    new = UidMap(one).uid(Level.STUDY, old)
    assert UidMap(other).uid(Level.STUDY, new) != new


def test_levels_are_apart() -> None:
    uids = UidMap("secret")
    assert len({uids.uid(level, "1.2") for level in LEVELS}) == len(LEVELS)


@given(SECRETS, st.lists(UIDS, unique=True, max_size=30))
def test_different_ones_stay_different(secret: str, olds: list[str]) -> None:
    uids = UidMap(secret)
    assert len({uids.uid(Level.INSTANCE, old) for old in olds}) == len(olds)


def test_patient_identifiers_are_uuids_of_version_4() -> None:
    form = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(form, UidMap("secret").patient_id("P1"))
