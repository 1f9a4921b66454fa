"""A server inside another program: in a thread, in a child process, without a socket."""

import gc
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import requests
from pydicom.data import get_testdata_file

import orthanc_lab
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.embedding.interrupts import interrupts_later
from orthanc_lab.server.log_lines import LogTail
from orthanc_lab.server.loopback import is_listening
from orthanc_lab.storage.files.log_file import DiskLog
from orthanc_lab.testing.faults import Faults
from tests.waiting import until


def read(name):
    with open(get_testdata_file(name), "rb") as file:  # noqa: PTH123 - the path is text
        return file.read()


def upload(server):
    answer = server.session.post(f"{server.url}/instances", data=read("CT_small.dcm"))
    assert answer.status_code == 200
    return answer.json()["ID"]


def studies(server):
    return server.session.get(f"{server.url}/studies").json()


# -- in a thread ------------------------------------------------------------------------


def test_serve():
    with orthanc_lab.serve(Name="Here") as server:
        system = server.session.get(f"{server.url}/system").json()
        assert (system["Name"], system["HttpPort"]) == ("Here", server.port)
        assert server.url == f"http://127.0.0.1:{server.port}"
        upload(server)
        assert len(studies(server)) == 1
        assert server.services.storage.statistics().instances == 1
        assert server.errors == []
        folder = server.folder
        assert folder.is_dir()
    assert not folder.exists()
    assert not is_listening(server.port)
    assert not server.is_running
    with pytest.raises(RuntimeError):
        _ = server.services


def test_without_a_with_block():
    server = orthanc_lab.serve({"Name": "a", "StableAge": 1}, Name="b")
    try:
        assert server.session.get(f"{server.url}/system").json()["Name"] == "b"
    finally:
        server.stop()
    server.stop()  # a second time does no harm


def test_a_given_folder_is_kept(tmp_path):
    with orthanc_lab.serve(folder=tmp_path / "new") as server:
        upload(server)
        assert server.folder == tmp_path / "new"
    with orthanc_lab.serve(folder=str(tmp_path / "new")) as server:
        assert len(studies(server)) == 1
        with pytest.raises(RuntimeError):
            server.renew()
    with orthanc_lab.serve(StorageDirectory=str(tmp_path / "new")) as server:
        assert server.folder == tmp_path / "new"
        assert len(studies(server)) == 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder in which none can be made")
@pytest.mark.parametrize("folder", ["/proc/nope", "/proc/nope/below"])
@pytest.mark.parametrize("start", [orthanc_lab.serve, partial(orthanc_lab.serve, process=True), orthanc_lab.in_process])
def test_a_folder_that_cannot_be_made(start, folder):
    with pytest.raises(OrthancError, match=f"Cannot create the folder {folder}: No such file or directory. Choose"):
        start(folder=folder)


@pytest.mark.parametrize(("name", "what"), [("HttpPort", "HTTP"), ("DicomPort", "DICOM")])
def test_a_port_in_use_says_what_to_do(name, what):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OrthancError) as refused:
            orthanc_lab.serve({name: port})
    text = f"The TCP port of the {what} server is privileged or already in use (port = {port})"
    assert str(refused.value) == text
    assert refused.value.details == f" (port = {port})"
    assert refused.value.__notes__ == [
        f'Choose another port ("{name}"; 0 takes any free one), or stop the program that uses this one.'
    ]


def test_a_folder_has_one_owner(tmp_path):
    with orthanc_lab.serve(folder=tmp_path) as server:
        with pytest.raises(OrthancError) as refused:
            orthanc_lab.serve(folder=tmp_path)
        assert refused.value.code == 11
        assert studies(server) == []


def test_a_port_in_use():
    with orthanc_lab.serve() as server:
        with pytest.raises(OrthancError) as refused:
            orthanc_lab.serve(HttpPort=server.port)
        assert refused.value.code == 2003


def test_settings_that_are_refused_leave_nothing_behind(tmp_path):
    with pytest.raises(OrthancError):
        orthanc_lab.serve(ConcurrentJobs=-1)
    with pytest.raises(OrthancError):
        orthanc_lab.in_process(ConcurrentJobs=-1)
    with pytest.raises(OrthancError):
        orthanc_lab.serve(process=True, ConcurrentJobs=-1)
    gc.collect()  # a forgotten temporary folder would be a ResourceWarning, that is an error


def test_credentials():
    with orthanc_lab.serve(AuthenticationEnabled=True, RegisteredUsers={"alice": "secret"}) as server:
        assert studies(server) == []
        assert requests.get(f"{server.url}/studies", timeout=30).status_code == 401


def test_proxies_of_the_environment_are_not_asked(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with orthanc_lab.serve() as server:
        assert studies(server) == []


def test_renew():
    with orthanc_lab.serve() as server:
        upload(server)
        server.errors.append(ValueError())
        port, folder = server.port, server.folder
        server.renew()
        assert studies(server) == []
        assert server.session.get(f"{server.url}/changes").json()["Last"] == 0
        assert (server.port, server.errors) == (port, [])
        assert not folder.exists()
        upload(server)


def test_a_server_that_cannot_be_renewed_stays_what_it_is():
    with orthanc_lab.serve() as server:
        upload(server)
        folder = server.folder
        (folder.parent / "storage-2").write_text("in the way")
        with pytest.raises(OrthancError, match="regular file"):
            server.renew()
        assert server.folder == folder
        server.restart()
        assert len(studies(server)) == 1


def test_what_has_stopped_is_not_renewed_and_what_is_removed_does_not_start():
    server, child = orthanc_lab.serve(), orthanc_lab.serve(process=True)
    server.stop()
    child.stop()
    with pytest.raises(RuntimeError, match="The server has stopped: only one that runs can be renewed"):
        server.renew()
    with pytest.raises(RuntimeError, match="its temporary folder is removed: start another server"):
        child.restart()


def test_reset_keeps_the_port_and_the_data():
    with orthanc_lab.serve() as server:
        upload(server)
        before = server.services
        answer = server.session.post(f"{server.url}/tools/reset")
        assert (answer.status_code, answer.content) == (200, b"{}")
        until(lambda: server.is_running and server.services is not before)
        assert len(studies(server)) == 1


def test_relative_paths_start_at_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with orthanc_lab.serve(StorageDirectory="storage", IndexDirectory="index") as server:
        upload(server)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "storage"]
    with orthanc_lab.in_process(folder="storage", IndexDirectory="index") as server:
        assert len(server.session.get("http://orthanc/studies").json()) == 1


def test_shutdown_by_a_client():
    with orthanc_lab.serve() as server:
        answer = server.session.post(f"{server.url}/tools/shutdown")
        assert (answer.status_code, answer.content) == (200, b"{}")
        until(lambda: not is_listening(server.port))
        until(lambda: not server.is_running)


def test_errors_inside_come_out(monkeypatch):
    with orthanc_lab.serve() as server:
        monkeypatch.setattr(server.services.storage, "list_ids", broken, raising=False)
        answer = server.session.get(f"{server.url}/studies")
        assert answer.status_code == 500
        assert answer.json()["OrthancStatus"] == -1
        assert answer.json()["Details"] == "An unhandled exception was generated inside the HTTP server"
        assert "the disk is on fire" not in answer.text
        assert [str(error) for error in server.errors] == ["the disk is on fire"]


def broken(*_, **__):
    raise ValueError("the disk is on fire")


def test_the_same_identifiers_at_every_run():
    def patient():
        with orthanc_lab.serve(seed=7) as server:
            made = server.session.post(f"{server.url}/tools/create-dicom", data='{"Tags" : {}}').json()
            tags = server.session.get(f"{server.url}/instances/{made['ID']}/simplified-tags").json()
            return made["ID"], tags["StudyInstanceUID"]

    assert patient() == patient()


@pytest.mark.parametrize("make", [orthanc_lab.serve, orthanc_lab.in_process])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"clock": 7}, "clock must be a Clock, such as "),
        ({"clock": orthanc_lab.ManualClock}, "clock must be a Clock, such as "),  # without its parentheses
        ({"faults": "index locked"}, "faults must be an "),
        ({"faults": Faults}, "faults must be an "),
    ],
)
def test_what_is_no_clock_and_no_faults(make, given, words):
    with pytest.raises(TypeError, match=words):
        make(**given)


def test_a_clock_moved_by_hand():
    clock = orthanc_lab.ManualClock(datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    with orthanc_lab.serve(clock=clock) as server:
        assert server.session.get(f"{server.url}/tools/now").text == "20300102T030405"
        clock.advance(60)
        assert server.session.get(f"{server.url}/tools/now").text == "20300102T030505"


def test_two_servers_side_by_side():
    with orthanc_lab.serve(Name="one") as one, orthanc_lab.serve(Name="two") as two:
        upload(one)
        assert (len(studies(one)), len(studies(two))) == (1, 0)


def test_threads_end_with_the_server():
    before = set(threading.enumerate())
    with orthanc_lab.serve() as server:
        upload(server)
    until(lambda: not [thread for thread in set(threading.enumerate()) - before if "orthanc" in thread.name])


# -- in a child process --------------------------------------------------------------------


def test_a_child_that_is_killed(tmp_path):
    with orthanc_lab.serve(folder=tmp_path, process=True, Name="child") as server:
        assert server.session.get(f"{server.url}/system").json()["Name"] == "child"
        assert server.pid != os.getpid()
        upload(server)
        port = server.port
        server.kill()
        until(lambda: not is_listening(port))
        server.restart()
        assert server.port == port
        assert len(studies(server)) == 1
        assert server.errors == []
    assert not is_listening(port)
    with pytest.raises(RuntimeError):
        _ = server.pid


def test_a_child_that_a_client_shuts_down_ends_in_order(tmp_path):
    with orthanc_lab.serve(folder=tmp_path, process=True) as server:
        pid = server.pid
        assert server.session.post(f"{server.url}/tools/shutdown", data=b"").status_code == 200
        until(lambda: not is_alive(pid))
        assert "Fatal" not in server.log.read_text()


def test_the_interruption_of_a_notebook_is_not_meant_for_its_child():
    with orthanc_lab.serve(process=True) as server:
        assert os.getpgid(server.pid) != os.getpgid(0)


def test_a_child_that_does_not_start(tmp_path):
    with (
        orthanc_lab.serve(folder=tmp_path),
        pytest.raises(OrthancError, match="already in use by another server"),
    ):
        orthanc_lab.serve(folder=tmp_path, process=True)


def test_a_child_takes_a_seed_but_no_objects():
    with pytest.raises(ValueError, match="a seed can"):
        orthanc_lab.serve(process=True, clock=orthanc_lab.ManualClock())


def test_a_child_ends_with_its_parent(tmp_path):
    code = (
        "import orthanc_lab, sys\n"
        f"server = orthanc_lab.serve(folder={str(tmp_path)!r}, process=True)\n"
        "print(server.port, server.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port, child = map(int, parent.stdout.readline().split())
    assert is_listening(port)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until(lambda: not is_listening(port))
    until(lambda: not is_alive(child))
    parent.stdin.close()
    parent.stdout.close()


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - not a real file
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_that_ends_without_a_stop():
    code = "import orthanc_lab\nserver = orthanc_lab.serve()\nprint(server.folder)"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert run.stderr == ""
    assert not os.path.exists(run.stdout.strip())  # noqa: PTH110 - a line of output


# -- without a socket ------------------------------------------------------------------------


def test_in_process():
    with orthanc_lab.in_process(Name="quiet") as server:
        assert server.session.get("http://orthanc/system").json()["Name"] == "quiet"
        instance = upload(server)
        with server.session.get(f"{server.url}/instances/{instance}/file", stream=True) as answer:
            assert b"".join(answer.iter_content(1000)) == read("CT_small.dcm")
        answer = server.session.post(f"{server.url}/tools/lookup", data="1CT1")
        assert [item["Type"] for item in answer.json()] == ["Patient"]
        folder = server.folder
    assert not folder.exists()
    with pytest.raises(requests.ConnectionError):
        server.session.get("http://orthanc/system")


def test_in_process_streams_an_archive():
    with orthanc_lab.in_process() as server:
        upload(server)
        study = studies(server)[0]
        with server.session.get(f"{server.url}/studies/{study}/archive", stream=True) as answer:
            assert answer.headers["Content-Type"] == "application/zip"
            assert next(answer.iter_content(2)) == b"PK"


def test_in_process_reset():
    with orthanc_lab.in_process() as server:
        upload(server)
        before = server.services
        server.session.post(f"{server.url}/tools/reset")
        assert len(studies(server)) == 1
        assert server.services is not before


def test_in_process_bodies():
    with orthanc_lab.in_process() as server:
        url = f"{server.url}/tools/lookup"
        for body in ("text", b"bytes", iter([b"some ", b"pieces"]), None):
            assert server.session.post(url, data=body).json() == []


@pytest.fixture
def interruptible():
    """Interrupts are raised, also where the tests run in the background of a shell, which ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_in_process_an_interrupt_leaves_nothing_half_done(monkeypatch):
    """Ctrl-C, or the stop button of a notebook, comes to the thread that waits for the disk."""
    sync, usual = DiskLog.sync, signal.getsignal(signal.SIGINT)

    def interrupt(log):
        sync(log)
        if threading.current_thread() is threading.main_thread():
            signal.raise_signal(signal.SIGINT)

    with orthanc_lab.in_process() as server:
        with monkeypatch.context() as patched:
            patched.setattr(DiskLog, "sync", interrupt)
            with pytest.raises(KeyboardInterrupt):
                server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}})
        assert signal.getsignal(signal.SIGINT) is usual
        assert len(studies(server)) == 1
        upload(server)
        assert len(studies(server)) == 2


@pytest.mark.usefixtures("interruptible")
def test_a_second_interrupt_comes_at_once():
    usual, reached = signal.getsignal(signal.SIGINT), []

    @interrupts_later()
    def interrupted_twice():
        signal.raise_signal(signal.SIGINT)
        reached.append("first")
        signal.raise_signal(signal.SIGINT)
        reached.append("second")

    with pytest.raises(KeyboardInterrupt):
        interrupted_twice()
    assert reached == ["first"]
    assert signal.getsignal(signal.SIGINT) is usual


# -- what it costs --------------------------------------------------------------------------


def measured(code):
    """Run code in a fresh interpreter; returns what it prints, as JSON."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(run.stdout)


HEAVY = ("pydicom", "numpy", "PIL", "pandas", "matplotlib")


def test_importing_loads_next_to_nothing():
    code = "import sys, json; import orthanc_lab; print(json.dumps([*sys.modules]))"
    modules = set(measured(code))
    assert {name for name in modules if name.startswith("orthanc_lab")} == {"orthanc_lab"}
    assert not modules & {*HEAVY, "falcon", "sqlite3", "requests", "socket"}


SLOW = ("falcon", "asyncio", "urllib.request", "http.client", "email", "importlib.resources", "orthanc_lab.network")


def test_a_start_waits_for_nothing_that_can_come_later(tmp_path):
    """What these modules bring was a fifth of the time until the first answer."""
    settings = {"StorageDirectory": str(tmp_path), "IndexDirectory": str(tmp_path), "DicomServerEnabled": False}
    code = (
        "import json, socket, sys\n"
        "from orthanc_lab.server.lifecycle import Server\n"
        "from orthanc_lab.server.options.settings import CheckedSettings\n"
        "class Probe:\n"
        "    def start(self, assembly):\n"
        "        with socket.create_connection(('127.0.0.1', server.port)) as client:\n"
        "            client.sendall(b'GET /system HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n')\n"
        "            self.answer = client.makefile('rb').read()\n"
        f"        self.loaded = sorted({{*sys.modules}} & {{*{SLOW}}})\n"
        "    def refuse(self): pass\n"
        "    def stop(self): pass\n"
        "probe = Probe()\n"
        f"server = Server(lambda: CheckedSettings({settings}), port=0, listeners=(probe,))\n"
        "server.start()\n"
        "server.stop()\n"
        "print(json.dumps([probe.answer[:15].decode(), probe.loaded, 'falcon' in sys.modules]))"
    )
    assert measured(code) == ["HTTP/1.1 200 OK", [], True]


def test_a_server_needs_little():
    code = (
        "import json, orthanc_lab\n"
        "with orthanc_lab.serve() as server:\n"
        "    server.session.get(server.url + '/system')\n"
        "    memory = int(open('/proc/self/status').read().split('VmRSS:')[1].split()[0]) / 1024\n"
        f"    import sys; heavy = sorted(set({HEAVY}) & set(sys.modules))\n"
        "print(json.dumps([memory, heavy]))"
    )
    memory, heavy = measured(code)
    assert memory < 90
    assert heavy == []


def test_the_package_names_its_public_parts():
    for name in orthanc_lab.__all__:
        assert getattr(orthanc_lab, name).__name__ == name
        assert name in dir(orthanc_lab)
    with pytest.raises(AttributeError):
        _ = orthanc_lab.no_such_name


# -- halting and starting again ---------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["thread", "process"])
def server(request):
    with orthanc_lab.serve(process=request.param, Name="Before") as server:
        yield server


def name(server):
    return server.session.get(f"{server.url}/system").json()["Name"]


def test_a_halted_server_serves_again_where_it_was(server):
    upload(server)
    url, port = server.url, server.port
    server.halt()
    server.halt()
    assert not server.is_running
    assert not is_listening(port)
    server.restart()
    assert server.is_running
    assert server.url == url
    assert len(studies(server)) == 1
    server.restart()  # also one that runs
    assert len(studies(server)) == 1


def test_options_change_at_a_restart(server):
    port, folder = server.port, server.folder
    assert server.options["Name"] == "Before"
    server.restart({"Name": "After", "RegisteredUsers": {"a": "b"}, "AuthenticationEnabled": True})
    assert name(server) == "After"
    assert server.options["StorageDirectory"] == str(folder)
    assert server.port == server.options["HttpPort"] == port
    server.restart()
    assert name(server) == "After"


def test_options_that_are_refused_change_nothing(server):
    wrong = {"Name": "After", "JobsHistorySize": -1}
    for act in (server.check, server.restart):
        with pytest.raises(OrthancError, match='The configuration option "JobsHistorySize" must be a positive integer'):
            act(wrong)
    assert server.options["Name"] == "Before"
    assert name(server) == "Before"


@pytest.mark.parametrize("options", [{"HttpPort": 1}, {"StorageDirectory": "/elsewhere"}])
def test_port_and_folder_stay(server, options):
    for act in (server.check, server.restart):
        with pytest.raises(ValueError, match=f'"{next(iter(options))}" must stay'):
            act(options)
    assert name(server) == "Before"


SECTIONS = [
    ("PostgreSQL", "EnableIndx", "EnableIndex"),
    ("AwsS3Storage", "BuketName", "BucketName"),
    ("AzureBlobStorage", "containername", "ContainerName"),
    ("GoogleCloudStorage", "ServiceAccount_File", "ServiceAccountFile"),
    ("Cluster", "LeaseDuraton", "LeaseDuration"),
    ("Transfers", "Thread", "Threads"),
    ("JobsEngineThreadsCount", "ResourceModificaton", "ResourceModification"),
]


@pytest.mark.parametrize("start", [orthanc_lab.serve, orthanc_lab.in_process, orthanc_lab.open_server])
def test_a_misspelt_option_is_an_error_with_the_nearest_name(start):
    for arguments, named in (((), {"JobsHistorySiz": 3}), (({"jobshistorysize": 3},), {})):
        with pytest.raises(TypeError, match="did you mean 'JobsHistorySize'"):
            start(*arguments, **named)
    for section, misspelt, nearest in SECTIONS:
        with pytest.raises(TypeError, match=rf"option '{section}\.{misspelt}'; did you mean '{section}\.{nearest}'"):
            start({section: {misspelt: 1}})
    with pytest.raises(TypeError, match=r"option 'DicomModalities\.x\.AllowEco'; did you mean '\S+\.AllowEcho'"):
        start(DicomModalities={"x": {"AllowEco": False}})
    with pytest.raises(TypeError, match=r"^There is no option 'DicomWeb'$"):
        start({"DicomWeb": True})
    with pytest.raises(TypeError, match=r"no option 'port'; options with this word are: HttpPort, DicomPort$"):
        orthanc_lab.serve(port=8042)
    with pytest.raises(TypeError, match=r"^There is no option 1$"):
        start({1: 2})


@pytest.mark.parametrize("start", [orthanc_lab.serve, orthanc_lab.in_process, orthanc_lab.open_server])
def test_what_are_no_options(start):
    with pytest.raises(TypeError, match=r"^Expected a dictionary of options and their values, not 'orthanc\.json'$"):
        start("orthanc.json")


def test_what_is_worth_a_warning(server):
    assert server.check(server.options) == []
    for call in (server.check, server.restart):
        with pytest.raises(TypeError, match=r"^Expected a dictionary of options and their values, not 'Name'$"):
            call("Name")
    with pytest.raises(TypeError, match="There is no option 'Names'; did you mean 'Name'"):
        server.check({"Names": "x"})
    assert server.check({"LuaScripts": ["x"]}) == [
        'The configuration option "LuaScripts" is known, but has no effect yet'
    ]
    assert server.check({"DicomWeb": {}, "Transfers": {"LaterOption": 1}}) == [
        'The configuration option "DicomWeb" is unknown, and has no effect',
        'The configuration option "Transfers.LaterOption" is unknown, and has no effect',
    ]


def test_the_log_has_a_tail(server):
    assert any("Orthanc has started" in line for line in server.tail())
    server.restart()
    assert any("Orthanc has stopped" in line for line in server.tail())
    assert len(server.tail(1)) == 1


def test_a_shutdown_by_a_client_is_seen_and_mended(server):
    server.session.post(f"{server.url}/tools/shutdown")
    server.halt()
    assert not server.is_running
    server.restart()
    assert name(server) == "Before"


def test_a_killed_child_is_seen():
    with orthanc_lab.serve(process=True) as server:
        os.kill(server.pid, signal.SIGKILL)
        server._process.wait(10)
        assert not server.is_running
        server.restart()
        assert server.is_running
    assert not server.is_running


def test_a_port_that_was_taken_meanwhile_is_said(server):
    server.halt()
    with socket.create_server(("127.0.0.1", server.port)):
        with pytest.raises(OrthancError, match="port"):
            server.restart()
        assert not server.is_running
    server.restart()
    assert name(server) == "Before"


def test_no_connection_of_another_program_gets_the_ports_of_a_child_that_is_killed():
    """They are below those that systems give to connections, as far as 2**15."""
    with orthanc_lab.serve(process=True) as server:
        ports = server.port, server.dicom_port
        assert max(ports) < 2**15
        server.kill()
        server.restart()
        assert (server.port, server.dicom_port) == ports


def test_a_tail_ends_with_its_server():
    before = tails()
    with orthanc_lab.serve() as server:
        assert tails() != before
    assert any("Orthanc has stopped" in line for line in server.tail())
    assert tails() == before


def tails():
    return [handler for handler in logging.getLogger("orthanc_lab").handlers if isinstance(handler, LogTail)]
