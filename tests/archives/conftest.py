"""A server of archives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archives.house import House


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Make a house; options of the configuration as keywords."""
    opened: list[House] = []

    def make(*, running: bool = True, **settings: Any) -> House:
        house = House(tmp_path, settings)
        if running:
            house.engine.start()
        opened.append(house)
        return house

    yield make
    for house in opened:
        house.close()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house()
