"""Every public name has a docstring with an example, and the example runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import orthanc_lab
import orthanc_lab.client
import orthanc_lab.extensions
import orthanc_lab.frames
import orthanc_lab.testing.faults
import orthanc_lab.testing.schedules
import orthanc_lab.widgets
from orthanc_lab import Client, samples
from orthanc_lab.protocol.version import VERSION
from orthanc_lab.testing import Recorder, Recording, plugin
from orthanc_lab.testing.cluster import OrthancCluster, TcpProxy
from orthanc_lab.testing.faults import Faults, FaultyProxy
from orthanc_lab.testing.holding_peer import HoldingPeer
from orthanc_lab.testing.postgresql_server import PostgresqlServer, find_programs
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.recordings import Replay
from orthanc_lab.testing.seaweed import SeaweedServer

pytest_plugins = ["pytester"]

ON_POSTGRESQL = ("orthanc_cluster", "postgresql", "postgresql_server")  # fixtures

MODULES = [
    "orthanc_lab",
    "orthanc_lab.client",
    "orthanc_lab.extensions",
    "orthanc_lab.frames",
    "orthanc_lab.frames.charts",
    "orthanc_lab.samples",
    "orthanc_lab.testing",
    "orthanc_lab.testing.faults",
    "orthanc_lab.testing.plugin",
    "orthanc_lab.widgets",
]
HOMES = {getattr(orthanc_lab, name).__module__ for name in orthanc_lab.__all__} | {"orthanc_lab.samples"}
PACKAGES = (
    orthanc_lab.client,
    orthanc_lab.extensions,
    orthanc_lab.frames,
    orthanc_lab.testing.faults,
    orthanc_lab.testing.schedules,
    orthanc_lab.widgets,
)


def names(module: str) -> list[tuple[str, object]]:
    found = importlib.import_module(module)
    return [(f"{module}.{name}", getattr(found, name)) for name in found.__all__]


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_an_example(module: str) -> None:
    assert names(module)
    assert [name for name, value in names(module) if ">>> " not in (inspect.getdoc(value) or "")] == []


def test_what_is_at_the_top_of_the_package() -> None:
    errors = {name for name, _ in names("orthanc_lab.client") if name.endswith("Error")}
    assert {name.rpartition(".")[2] for name in errors} <= set(orthanc_lab.__all__)
    assert orthanc_lab.__version__ == VERSION


@pytest.mark.parametrize("module", MODULES)
def test_every_public_member_says_what_it_is(module: str) -> None:
    silent = [
        f"{name}.{member}"
        for name, value in names(module)
        if inspect.isclass(value)
        for member in vars(value)
        if not member.startswith("_")
        and callable(getattr(value, member))
        and not inspect.getdoc(getattr(value, member))
    ]
    assert silent == []


@pytest.mark.parametrize("module", MODULES)
def test_what_a_with_block_binds_has_a_type(module: str) -> None:
    untyped = [
        name
        for name, value in names(module)
        if inspect.isclass(value) and hasattr(value, "__enter__")
        if inspect.get_annotations(value.__enter__).get("return") not in ("Self", value.__name__)
    ]
    assert untyped == []


def test_what_a_person_holds_says_what_it_is() -> None:
    kinds = [orthanc_lab.client.Transport, FaultyProxy, Recorder, Recording, Replay, RealOrthanc, OrthancCluster]
    kinds += [TcpProxy, SeaweedServer, PostgresqlServer, HoldingPeer]
    assert [kind.__name__ for kind in kinds if kind.__repr__ is object.__repr__] == []
    with TcpProxy("127.0.0.1", 1) as proxy:
        assert repr(proxy) == f"<TcpProxy from 127.0.0.1:{proxy.port} to 127.0.0.1:1>"


def test_a_recording_says_how_much_is_in_it(orthanc: orthanc_lab.EmbeddedServer, tmp_path: Path) -> None:
    path = tmp_path / "one"
    with Recorder(orthanc.url, path) as proxy, Client(proxy.url) as client:
        assert repr(proxy) == f"<Recorder of {orthanc.url} into {path}>"
        assert client.transport.get("/patients") == []
        assert repr(client.transport) == f"<Transport to {proxy.url}>"
    with Replay(path) as replay:
        assert repr(replay) == f"<Replay of <Recording {path}: 1 exchange>>"


def documented(text: str) -> set[str]:
    """Return the names in the section Parameters of a numpydoc docstring."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n---|\Z)", text, re.M | re.S)
    heads = re.findall(r"^(\S.*)$", section[1], re.M) if section else []
    return {name.strip(" *") for head in heads for name in head.partition(":")[0].split(",")}


def functions(module: str) -> Iterator[tuple[str, Any, str]]:
    """Yield name, function and docstring: of functions, of constructors (in the class), of methods."""
    for name, value in names(module):
        if inspect.isclass(value):
            yield name, value.__init__, inspect.getdoc(value) or ""
            ours = [base for base in value.__mro__ if base.__module__.startswith("orthanc_lab.")]
            for member in sorted({member for base in ours for member in vars(base) if not member.startswith("_")}):
                if inspect.isroutine(method := getattr(value, member)):
                    yield f"{name}.{member}", method, inspect.getdoc(method) or ""
        elif inspect.isfunction(value):
            yield name, value, inspect.getdoc(value) or ""


@pytest.mark.parametrize("module", MODULES)
def test_the_parameters_in_a_docstring_are_those_of_the_function(module: str) -> None:
    wrong = {
        name: documented(text) - set(inspect.signature(function).parameters)
        for name, function, text in functions(module)
    }
    assert {name: unknown for name, unknown in wrong.items() if unknown} == {}


def modules_of(package: ModuleType) -> list[str]:
    return [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[orthanc_lab.EmbeddedServer, Faults]]:
    faults = Faults()
    with orthanc_lab.serve(faults=faults) as server:
        yield server, faults


@pytest.mark.parametrize("module", sorted(HOMES.union(*map(modules_of, PACKAGES))))
def test_the_examples_run(module: str, served: tuple[orthanc_lab.EmbeddedServer, Faults], tmp_path: Path) -> None:
    """Examples may use a client, its server with a series of CT and with faults, and a folder."""
    found = importlib.import_module(module)
    if not any(test.examples for test in doctest.DocTestFinder().find(found)):
        assert module not in HOMES
        return
    server, faults = served
    server.renew()
    faults.renew()
    with Client.from_server(server) as client:
        client.upload(samples.path("ct/soft_tissue"))
        names = {"client": client, "server": server, "faults": faults, "folder": tmp_path}
        names |= {"Client": Client, "orthanc_lab": orthanc_lab, "samples": samples}
        names = {name: value for name, value in names.items() if not hasattr(found, name)}
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        result = doctest.testmod(found, extraglobs=names, optionflags=options)
    assert result.failed == 0
    assert server.is_running


def test_the_examples_of_the_fixtures_are_tests_that_pass(pytester: pytest.Pytester) -> None:
    lacking = () if os.environ.get("CI") or find_programs() else ON_POSTGRESQL
    counts = {}
    for name in plugin.__all__:
        examples = doctest.DocTestParser().get_examples(inspect.getdoc(getattr(plugin, name)) or "")
        text = "\n".join(example.source for example in examples)
        pytester.makepyfile(**{f"test_{name}": text})
        counts[name] = text.count("def test_")
    found = pytester.runpytest_subprocess("-v", "-W", "error", "-p", "no:cacheprovider", "-p", "no:nbval")
    skipped = sum(counts[name] for name in lacking)
    found.assert_outcomes(passed=sum(counts.values()) - skipped, skipped=skipped)
    for name in plugin.__all__:
        found.stdout.fnmatch_lines_random([f"test_{name}.py::* {'SKIPPED' if name in lacking else 'PASSED'}*"])
