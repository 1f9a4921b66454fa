"""axe-core finds nothing in the built-in page, light and dark, on a screen and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab import samples
from tests import axe
from tests.page.browser import Browser

OPEN_ALL = (
    "{const all = [...document.querySelectorAll('#study-list details:not([open])')];"
    "for (const one of all) one.open = true; all.length == 0 && document.querySelectorAll('.viewer img').length > 0}"
)


@pytest.fixture(scope="module")
def server() -> Iterator[orthanc_lab.Server]:
    """A server with a study that has a label, a job and a job that failed."""
    with orthanc_lab.serve() as server:
        client = orthanc_lab.Client(server.url)
        client.upload(samples.path("ct"))
        (study,) = client.studies
        study.add_label("teaching")
        study.archive_job().wait()
        client.transport.send("PUT", "/peers/nowhere", json={"Url": "http://127.0.0.1:9/"})
        client.jobs.submit("/peers/nowhere/store", {"Resources": [study.id], "Synchronous": False})
        yield server


@pytest.fixture
def page(browser: Browser, server: orthanc_lab.Server) -> Iterator[Browser]:
    browser.open(f"{server.url}/app/explorer.html")
    browser.until("document.querySelector('#study-list summary')?.innerText")
    browser.evaluate(axe.script())
    yield browser
    browser.call("Emulation.setEmulatedMedia", features=[])
    browser.call("Emulation.clearDeviceMetricsOverride")
    browser.open("about:blank")


def violations(page: Browser) -> list[str]:
    found: list[dict[str, Any]] = page.evaluate(axe.expression_for("html"))
    return axe.lines_of(found)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nothing_keeps_people_out(page: Browser, colours: str) -> None:
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": colours}])
    found = {}
    page.until(OPEN_ALL)
    for width in (1280, 390):
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        for name in ("studies", "jobs", "metrics"):
            page.evaluate(f"document.getElementById('tab-{name}').click()")
            page.until(f"document.getElementById({name!r}).innerText.trim() != ''")
            found[f"{name}, {width} px"] = violations(page)
    assert {where: lines for where, lines in found.items() if lines} == {}
