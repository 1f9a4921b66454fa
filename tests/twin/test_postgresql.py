"""Scenarios with the index on PostgreSQL: our server against Orthanc with its plug-in, and against Orthanc on SQLite.

What the plug-in does in its own way (revisions, uploads, deletion) is compared with it. Where its version 5 lacks what
Orthanc can do on SQLite (order, searches of metadata, the end of a range of changes), ours does what SQLite does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.postgresql_server import PostgresqlServer
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios import LEDGER, SCENARIOS
from orthanc_lab.testing.scenarios.bodies import build
from orthanc_lab.testing.twin import Twin
from tests.dimse.scripted_node import ScriptedNode
from tests.programs import missing

pytestmark = [pytest.mark.real, pytest.mark.long]

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so")
OF_THE_PLUGIN = (
    *("attachments-dicom", "attachments-user", "labels-routes", "metadata-user", "revisions-", "system-statistics"),
    *("upload-again", "upload-overwrite", "upload-patients-recycled"),
)
OF_SQLITE = (
    *(
        "browse-bulk",
        "browse-deletion",
        "changes",
        "find-newer",
        "find-queries-instances",
        "find-sorted",
        "labels-search",
    ),
    *("limits-numbers", "lookup", "modify-in-place", "restart-storage", "system-reconstruct", "tags-charsets"),
)


def chosen(beginnings: tuple[str, ...]) -> list[Scenario]:
    return [scenario for scenario in SCENARIOS if scenario.name.startswith(beginnings)]


class Databases:
    """A database for each server; one that keeps its folder finds its database again."""

    def __init__(self, server: PostgresqlServer) -> None:
        self._server = server
        self._kept: dict[object, dict[str, Any]] = {}

    def section(self, name: str, folder: Path | None) -> dict[str, Any]:
        key = object() if folder is None else (name, folder)
        if key not in self._kept:
            self._kept[key] = self._server.create_database().section
        return self._kept[key]


@pytest.fixture(scope="module")
def databases(postgresql_server: PostgresqlServer) -> Iterator[Databases]:
    return Databases(postgresql_server)


def ours_on(databases: Databases) -> Any:
    def serve(folder: Path | None = None, **options: Any) -> Any:
        return orthanc_lab.serve({**options, "PostgreSQL": databases.section("ours", folder)}, folder=folder)

    return serve


def real_on(databases: Databases, program: str) -> Any:
    def serve(folder: Path | None = None, **options: Any) -> RealOrthanc:
        own = {"Plugins": [str(PLUGIN)], "PostgreSQL": databases.section("real", folder)}
        return RealOrthanc(folder=folder, program=program, **options, **own)

    return serve


@pytest.mark.parametrize("scenario", chosen(OF_THE_PLUGIN), ids=lambda scenario: scenario.name)
def test_as_orthanc_with_its_plugin(scenario: Scenario, databases: Databases, real_program: str) -> None:
    if not PLUGIN.exists():
        missing("Orthanc's plug-in is not installed; on Debian and Ubuntu: apt-get install orthanc-postgresql")
    ledger = Ledger([*Ledger.read(LEDGER).lines, *Ledger.read(Path(__file__).parent / "ledger_postgresql.toml").lines])
    twin = Twin(ours_on(databases), real_on(databases, real_program), build(), ScriptedNode)
    left = twin.run(scenario).unaccepted(ledger)
    assert not left, "\n\n".join(map(str, left))


@pytest.mark.parametrize("scenario", chosen(OF_SQLITE), ids=lambda scenario: scenario.name)
def test_as_orthanc_on_sqlite(scenario: Scenario, databases: Databases, real_program: str) -> None:
    twin = Twin(ours_on(databases), RealOrthanc, build(), ScriptedNode)
    left = twin.run(scenario).unaccepted(Ledger.read(LEDGER))
    assert not left, "\n\n".join(map(str, left))
