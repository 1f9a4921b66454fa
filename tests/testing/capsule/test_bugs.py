"""What a server or a client does wrong still shows in a capsule."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from orthanc_lab.testing import make_capsule
from tests.testing.capsule.bugs import BUGS
from tests.testing.capsule.story import Story, read, record


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    path = tmp_path_factory.mktemp("story") / "recording"
    record(path)
    return read(path)


def test_what_is_wrong_shows_in_the_capsule(story: Story, tmp_path: Path) -> None:
    stories = [story]
    for bug in BUGS:
        stories.append(story.copy())
        bug.plant(stories[-1])
    # One capsule of all of them, one after the other: half a second instead of ten.
    Story(one for told in stories for one in told).write(tmp_path / "recording")
    make_capsule(tmp_path / "recording", tmp_path / "capsule")
    exchanges = iter(read(tmp_path / "capsule"))
    clean, *twins = (Story(islice(exchanges, len(told))) for told in stories)
    assert [bug.name for bug in BUGS if bug.shows(story) or bug.shows(clean)] == []
    assert [bug.name for bug, told in zip(BUGS, stories[1:], strict=True) if not bug.shows(told)] == []
    assert len(BUGS) >= 30
    assert [bug.name for bug, twin in zip(BUGS, twins, strict=True) if not bug.shows(twin)] == []
