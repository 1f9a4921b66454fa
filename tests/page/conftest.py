"""The browser of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.page.browser import Browser
from tests.programs import BROWSERS, program


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, for which ``attacker.example`` is this machine: as if an attacker had changed the name's address."""
    rules = "--host-resolver-rules=MAP attacker.example 127.0.0.1"
    with Browser(program(*BROWSERS), tmp_path_factory.mktemp("profile"), rules) as browser:
        yield browser
