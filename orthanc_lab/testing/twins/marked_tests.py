"""Tests with the marker ``twin``: run on both servers, then compared."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orthanc_lab.server.file_words import words_of
from orthanc_lab.testing.certify.target import TargetError
from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.recordings import Recording
from orthanc_lab.testing.scenarios import LEDGER
from orthanc_lab.testing.twins.comparing import compare, passed
from orthanc_lab.testing.twins.other_server import NoOtherServerError, OtherServer
from orthanc_lab.testing.twins.twin_server import SIDES, TwinServer

if TYPE_CHECKING:
    from orthanc_lab.server.embedding.embedded_server import EmbeddedServer

__all__ = ["behind_a_proxy", "check_options", "judge", "other_server", "parametrize", "unneeded_lines"]

_FIXTURE = "orthanc"
_LEDGERS = pytest.StashKey[dict[tuple[Path, ...], Ledger]]()
_SIDE = re.compile(rf"(?:^|-)(?:{'|'.join(SIDES)})(?=-|$)")  # in the identifier of the parameters; it comes first
_ADVICE = """
If a difference is right, a file of accepted ones says why (--twin-ledger, or @pytest.mark.twin(ledger=…)):

[[accepted]]
scenario = "{name}"
exchange = '''{line}'''
field = "{field}"
reason = "…"
"""


def check_options(config: pytest.Config) -> None:
    """Refuse options of twin tests that cannot be used, before any test runs.

    Raises
    ------
    pytest.UsageError
        With the reason.
    """
    try:
        _other(config).check()
        if path := _ledger_of_options(config):
            Ledger.read(path)
    except OSError as error:
        raise pytest.UsageError(words_of(error)) from None
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def _other(config: pytest.Config) -> OtherServer:
    url, program, recording = (config.getoption(f"twin_{name}") or "" for name in ("url", "program", "recording"))
    return OtherServer(url, program, recording)


def _ledger_of_options(config: pytest.Config) -> Path | None:
    given = config.getoption("twin_ledger")
    return config.invocation_params.dir / given if given else None


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Make two tests of one with the marker: on our server, and on the other one."""
    if _FIXTURE not in metafunc.fixturenames:
        pytest.fail(f"{metafunc.definition.nodeid}: a twin test needs the fixture {_FIXTURE!r}", pytrace=False)
    marker = metafunc.definition.get_closest_marker("twin")
    if marker and (marker.args or set(marker.kwargs) - {"ledger"}):
        words = "the marker twin takes nothing but ledger=…, the name of a file"
        pytest.fail(f"{metafunc.definition.nodeid}: {words}", pytrace=False)
    metafunc.parametrize(_FIXTURE, SIDES, indirect=True)


@contextmanager
def behind_a_proxy(request: pytest.FixtureRequest, server: EmbeddedServer) -> Iterator[TwinServer]:
    """Provide our server for a twin test."""
    with TwinServer("ours", server, _path(request)) as twin:
        yield twin


@contextmanager
def other_server(request: pytest.FixtureRequest, settings: dict[str, Any]) -> Iterator[TwinServer]:
    """Provide the server that ours is compared with; without one, the test is skipped."""
    try:
        with _other(request.config).start(settings, _path(request)) as server:
            yield server
    except NoOtherServerError as error:
        pytest.skip(str(error))
    except TargetError as error:
        pytest.fail(str(error), pytrace=False)


def judge(item: pytest.Function) -> None:
    """After a test has passed on one side: fail it if the other side has passed, too, and they differ."""
    server = item.funcargs[_FIXTURE]
    assert isinstance(server, TwinServer)
    if server.misses:
        pytest.fail("The recording does not hold these requests:\n\n" + "\n\n".join(server.misses), pytrace=False)
    recordings = {side: server.path.with_name(f"{side}.recording") for side in SIDES}
    unfinished = server.path.with_suffix(".part")
    shutil.copyfile(server.path, unfinished)  # more may come: the test has fixtures to be taken down
    unfinished.replace(recordings[server.side])
    if all(path.exists() for path in recordings.values()):  # also if the other side ran in another process
        _compare(item, recordings["ours"], recordings["real"])


def _compare(item: pytest.Function, ours: Path, real: Path) -> None:
    name = _name(item)
    with Recording(ours) as mine, Recording(real) as theirs:
        report = compare(name, passed(mine), passed(theirs))
    left = report.unaccepted(_ledger(item))
    if left:
        first = left[0]
        advice = _ADVICE.format(name=name, line=first.line, field=first.differences[0].field)
        counts = f"differences: {len(left)}; answers compared: {report.exchanges}"
        words = f"This server (ours) and the other one (real): {counts}"
        pytest.fail("\n\n".join([words, *map(str, left)]) + "\n" + advice, pytrace=False)


def _name(item: pytest.Function) -> str:
    """Return the name of a test in a ledger: its file without folders, class and function without parameters."""
    return item.nodeid.partition("[")[0].rpartition("/")[2]


def _path(request: pytest.FixtureRequest) -> Path:
    """Return the file for what passes, one for each side and process."""
    folder = _folder(request.node, request.getfixturevalue("tmp_path_factory"))
    path = folder / f"{request.param}-{os.getpid()}"
    path.unlink(missing_ok=True)  # of a test that is run again
    return path


def _folder(item: pytest.Function, factory: pytest.TempPathFactory) -> Path:
    """Return the folder that both sides of a test share, also if they run in two processes of pytest-xdist."""
    base = factory.getbasetemp()
    if hasattr(item.config, "workerinput"):  # not the variable: tests that a worker starts inherit it
        base = base.parent
    parameters = _SIDE.sub("", item.callspec.id, count=1)
    key = hashlib.sha256(f"{item.nodeid.partition('[')[0]} {parameters}".encode()).hexdigest()[:16]
    folder = base / "orthanc-twins" / key
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _ledger(item: pytest.Function) -> Ledger:
    """Return the ledger of a test: the lines of the package, of the marker and of the command line."""
    paths = []
    marker = item.get_closest_marker("twin")
    if marker and (given := marker.kwargs.get("ledger")):
        paths.append(item.path.parent / given)
    if path := _ledger_of_options(item.config):
        paths.append(path)
    ledgers = item.config.stash.setdefault(_LEDGERS, {})
    key = tuple(paths)
    if key not in ledgers:
        try:
            ledgers[key] = Ledger([line for path in (LEDGER, *paths) for line in Ledger.read(path).lines])
        except OSError as error:
            pytest.fail(words_of(error), pytrace=False)
        except ValueError as error:
            pytest.fail(str(error), pytrace=False)
    return ledgers[key]


def unneeded_lines(config: pytest.Config) -> list[str]:
    """Return the lines of the user's ledgers that concern tests of this session, and covered nothing."""
    own = Ledger.read(LEDGER).lines
    ledgers = config.stash.get(_LEDGERS, {}).values()
    stale = (line for ledger in ledgers for line in ledger.stale(ledger.ran) if line not in own)
    ran = {name for ledger in ledgers for name in ledger.ran}
    return [f"{line.scenario}: {line.exchange}: {line.field}" for line in stale if any(map(line.concerns, ran))]
