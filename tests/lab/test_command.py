"""``orthanc-lab lab``: both answer, both end, and nothing is left; what goes wrong is said in words."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.lab import command
from orthanc_lab.lab.jupyter import READY
from orthanc_lab.server.embedding.remote import LAB_VARIABLE, VARIABLE
from orthanc_lab.server.loopback import free_port, is_listening
from tests.lab.running import Lab

pytest.importorskip("jupyterlab")


@pytest.fixture
def lab(tmp_path):
    started = []

    def start(*arguments, **environment):
        started.append(Lab(tmp_path, *arguments, **environment))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def test_both_answer_and_a_signal_ends_both(lab):
    running = lab("--port", "0", "--lab-port", "0").start()
    the_server_has_the_samples_and_jupyter_the_notebooks(running)
    jupyter_asks_for_no_news(running)
    the_side_bar_has_room_for_the_names_of_lessons(running)
    both_listen_on_the_loopback_interface_alone(running)
    nobody_gets_in_without_the_password_that_was_printed(running)
    the_lessons_do_not_use_the_server_of_the_lab(running)
    below_jupyters_address_page_and_requests_go_through(running)
    running.send(signal.SIGHUP)
    assert running.wait() == 0, "\n".join(running.output)
    assert not running.left_over()
    assert not is_listening(int(running.orthanc.rpartition(":")[2]))
    assert not re.search("Traceback|Error|Warning", "\n".join(running.output))


def the_server_has_the_samples_and_jupyter_the_notebooks(running):
    counts = requests.get(f"{running.orthanc}/statistics", timeout=30).json()
    assert counts["CountInstances"] == len(samples.dicom_files())
    assert requests.get(f"{running.jupyter}/api/contents", timeout=30).status_code == 403
    contents = running.session.get(f"{running.jupyter}/api/contents", timeout=30).json()["content"]
    assert "01_quick_tour.ipynb" in {item["name"] for item in contents}


def jupyter_asks_for_no_news(running):
    page = running.session.get(f"{running.jupyter}/lab", timeout=30)
    (config,) = re.findall(r"jupyter-config-data[^>]*>\s*(\{.*?\})\s*</script>", page.text, re.DOTALL)
    assert "@jupyterlab/apputils-extension:announcements" in json.loads(config)["disabledExtensions"]


def the_side_bar_has_room_for_the_names_of_lessons(running):
    settings = f"{running.jupyter}/lab/api/settings/@jupyterlab/filebrowser-extension:browser"
    schema = running.session.get(settings, timeout=30).json()["schema"]
    assert schema["properties"]["showLastModifiedColumn"]["default"] is False


def both_listen_on_the_loopback_interface_alone(running):
    for process in (psutil.Process(running.process.pid), running.descendants[0]):  # the server, JupyterLab
        for each in process.net_connections("inet"):
            assert each.laddr.ip in ("127.0.0.1", "::1"), each
    assert ("Running JupyterLab as root" in "\n".join(running.output)) == (os.geteuid() == 0)


def nobody_gets_in_without_the_password_that_was_printed(running):
    parts = urlsplit(running.orthanc)
    assert parts.username == "lab"
    assert len(parts.password) >= 20
    bare = f"http://127.0.0.1:{parts.port}"
    for verb in ("get", "post", "delete"):
        assert requests.request(verb, f"{bare}/statistics", timeout=30).status_code == 401
    assert requests.get(f"{bare}/system", auth=("lab", "lab"), timeout=30).status_code == 401
    for process in [psutil.Process(running.process.pid), *running.descendants]:
        with suppress(psutil.NoSuchProcess):
            assert parts.password not in " ".join(process.cmdline())


def the_lessons_do_not_use_the_server_of_the_lab(running):
    seen = running.descendants[0].environ()
    assert seen[LAB_VARIABLE] == running.orthanc
    assert VARIABLE not in seen


def below_jupyters_address_page_and_requests_go_through(running):
    """The tile of the launcher, see test_tile.py."""
    session, below = running.session, f"{running.jupyter}/orthanc"
    start = session.get(f"{below}/", timeout=30)
    assert start.url == f"{below}/app/explorer.html"
    assert 'src="explorer.js"' in start.text
    assert session.get(f"{below}/app/explorer.js", timeout=30).ok
    assert session.get(f"{below}/system", timeout=30).json()["Name"] == "orthanc-lab"
    assert len(session.get(f"{below}/instances", timeout=30).json()) == len(samples.dicom_files())
    client = orthanc_lab.Client(running.orthanc)
    study = client.studies.find()[0].id
    assert session.delete(f"{below}/studies/{study}", timeout=30).ok
    assert study not in [each.id for each in client.studies]
    assert requests.get(f"{below}/system", timeout=30, allow_redirects=False).status_code in (302, 403)


@pytest.mark.long
def test_a_signal_while_jupyter_starts(lab):
    running = lab("--port", "0", "--lab-port", "0")
    running.until("Notebooks:")
    running.send(signal.SIGINT)
    assert running.wait() == 0, "\n".join(running.output)
    assert not [process for process in psutil.process_iter(["environ"]) if running.owns(process)]
    assert "Traceback" not in "\n".join(running.output)


@pytest.mark.long
def test_kernels_end_too(lab):
    running = lab("--port", "0", "--lab-port", "0").start()
    assert running.session.post(f"{running.jupyter}/api/kernels", timeout=60).status_code == 201
    running.note_descendants()
    assert len(running.descendants) >= 2  # JupyterLab, the kernel; for a moment also what looks for language servers
    running.send(signal.SIGINT)
    assert running.wait() == 0, "\n".join(running.output)
    assert not running.left_over()


@pytest.mark.long
def test_shut_down_from_its_menu_jupyter_takes_the_server_along(lab):
    running = lab("--port", "0", "--lab-port", "0").start()
    assert running.session.post(f"{running.jupyter}/api/shutdown", timeout=30).ok
    assert running.wait() == 0, "\n".join(running.output)
    assert not running.left_over()
    assert not is_listening(int(running.orthanc.rpartition(":")[2]))


@pytest.mark.long
def test_a_jupyter_that_dies_takes_the_server_along_and_is_an_error(lab):
    running = lab("--port", "0", "--lab-port", "0").start()
    running.descendants[0].kill()
    assert running.wait() == 1
    assert running.output[-1] == "JupyterLab exited with code -9."


@pytest.mark.long
def test_a_server_that_is_shut_down_takes_jupyter_along(lab):
    running = lab("--port", "0", "--lab-port", "0").start()
    assert requests.post(f"{running.orthanc}/tools/shutdown", data=b"", timeout=30).ok
    assert running.wait() == 0, "\n".join(running.output)
    assert running.output[-1] == "The server has stopped, so JupyterLab stops too."
    assert not running.left_over()


@pytest.mark.long
def test_a_storage_that_is_kept_is_not_filled_twice_and_a_server_that_is_reset_goes_on(lab, tmp_path):
    kept = tmp_path / "kept"
    with orthanc_lab.serve(folder=kept) as server:
        orthanc_lab.Client.from_server(server).upload(samples.dicom_files("mr")[:3])
    running = lab("--port", "0", "--lab-port", "0", "--storage", str(kept)).start()
    assert any(line.strip() == f"3 instances in {kept}" for line in running.output), running.output
    assert requests.post(f"{running.orthanc}/tools/reset", data=b"", timeout=30).ok
    client = orthanc_lab.Client(running.orthanc, retries=10)
    assert client.statistics["CountInstances"] == 3
    assert running.session.get(f"{running.jupyter}/api/contents", timeout=30).ok
    running.send(signal.SIGINT)
    assert running.wait() == 0, "\n".join(running.output)
    with orthanc_lab.serve(folder=kept) as server:
        assert orthanc_lab.Client.from_server(server).statistics["CountInstances"] == 3


def test_once_ends_by_itself_and_instead_of_the_usual_port_in_use_another_is_taken(lab):
    try:
        holder = socket.create_server(("127.0.0.1", 8042))
    except OSError:
        holder = None  # in use by something else: as good
    try:
        running = lab("--lab-port", "0", "--once").start()
        assert running.wait() == 0, "\n".join(running.output)
    finally:
        if holder is not None:
            holder.close()
    assert not running.left_over()
    assert not running.orthanc.endswith(":8042")
    assert "Port 8042 is in use, so another one was chosen." in "\n".join(running.output)
    assert any(line.strip().startswith(f"{len(samples.dicom_files())} instances in ") for line in running.output)


@pytest.mark.long
def test_a_configuration_as_serve_takes_it_and_a_signal(lab, tmp_path):
    port = free_port()
    file = tmp_path / "configuration.json"
    users = '"AuthenticationEnabled" : true, "RegisteredUsers" : {"alice" : "se:cret"}, "DicomServerEnabled" : false'
    file.write_text(
        f'{{"HttpPort" : {port}, "Name" : "Mine", "StorageDirectory" : "files", {users}, "DicomPort" : {free_port()}}}'
    )
    running = lab("--lab-port", "0", "--no-samples", str(file)).start()
    assert running.orthanc == f"http://127.0.0.1:{port}"
    assert requests.get(f"{running.orthanc}/system", timeout=30).status_code == 401
    system = requests.get(f"{running.orthanc}/system", auth=("alice", "se:cret"), timeout=30).json()
    assert system["Name"] == "Mine"
    assert f"0 instances in {tmp_path / 'files'}" in "\n".join(running.output)
    assert "se:cret" not in "\n".join(running.output)
    running.send(signal.SIGTERM)
    assert running.wait() == 0, "\n".join(running.output)
    assert not running.left_over()
    assert not is_listening(port)
    assert (tmp_path / "files").is_dir()


@pytest.mark.long
@pytest.mark.parametrize(("by_variable", "number"), [(False, signal.SIGKILL), (True, signal.SIGINT)])
def test_an_orthanc_that_runs_already_goes_on_and_no_jupyter_is_left_behind(lab, by_variable, number):
    with orthanc_lab.serve(AuthenticationEnabled=True, RegisteredUsers={"alice": "secret"}) as server:
        address = server.url.replace("//", "//alice:secret@")
        if by_variable:
            running = lab("--lab-port", "0", ORTHANC_URL=address).start()
        else:
            running = lab("--lab-port", "0", "--url", address).start()
        assert running.orthanc == server.url
        jupyter = running.descendants[0]  # further ones are its own
        seen = jupyter.environ()
        assert (seen[VARIABLE], seen[LAB_VARIABLE]) == (address, address)
        running.send(number)
        assert running.wait() == (-number if number == signal.SIGKILL else 0), "\n".join(running.output)
        assert not running.left_over()
        assert "secret" not in "\n".join(running.output)
        assert server.session.get(f"{server.url}/statistics").json()["CountInstances"] == 0


@pytest.mark.parametrize("option", ["--port", "--lab-port"])
def test_a_port_in_use(lab, option):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = lab("--port", "0", "--lab-port", "0", option, str(port))
        assert running.wait() == 1
    words = "\n".join(running.output)
    assert "in use" in words
    assert f"another {option}" in words
    assert "Traceback" not in words


def test_an_address_where_no_orthanc_is(lab):
    running = lab("--url", f"http://alice:secret@127.0.0.1:{free_port()}")
    assert running.wait() == 1
    assert "No Orthanc answers at http://127.0.0.1:" in "\n".join(running.output)
    assert "secret" not in "\n".join(running.output)


@pytest.mark.long
def test_a_lesson_by_its_number(lab):
    running = lab("4", "--port", "0", "--lab-port", "0", "--once")
    assert running.until("JupyterLab:").partition("?")[0].endswith("/lab/tree/04_dicomizing.ipynb")
    assert running.wait() == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["77"], "There is no lesson 77. The lessons are:"),
        (["01", "02"], "02: give one lesson and one configuration at most."),
        (["01", "a.json", "b.json"], "b.json: give one lesson and one configuration at most."),
    ],
)
def test_words_that_are_wrong(words, said, capsys):
    assert command.main(words) == 1
    assert said in capsys.readouterr().err


def test_a_configuration_that_is_missing(lab, tmp_path):
    running = lab("--lab-port", "0", str(tmp_path / "none.json"))
    assert running.wait() == 1
    assert "none.json" in running.output[-1]
    assert "Traceback" not in "\n".join(running.output)


def test_a_jupyter_that_cannot_start(lab):
    running = lab("--port", "0", "--lab-port", "0", JUPYTER_RUNTIME_DIR="/dev/null/nowhere")
    assert running.wait() == 1
    assert "JupyterLab did not start (exit code 1)." in "\n".join(running.output)


@pytest.mark.long
def test_a_jupyter_whose_orderly_stop_fails_ends_all_the_same(tmp_path):
    code = """if True:
        import sys
        from orthanc_lab.lab import jupyter_child
        from orthanc_lab.lab.json_schemas import import_without_iri
        import_without_iri()
        from jupyter_server.serverapp import ServerApp
        def fail(self, from_signal=False):
            raise RuntimeError("no stop")
        ServerApp.stop = fail
        jupyter_child.PATIENCE_S = 0.5
        sys.exit(jupyter_child.main())
    """
    options = ["--ServerApp.port=0", "--ServerApp.open_browser=False", "--ServerApp.allow_root=True"]
    child = subprocess.Popen(
        [sys.executable, "-c", code, *options, f"--ServerApp.root_dir={tmp_path}"],
        env={**os.environ, "HOME": str(tmp_path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert next(line for line in child.stdout if line.startswith(READY))
    child.communicate(timeout=60)
    assert child.returncode == 1


def test_what_it_leaves_out_of_jsonschema_is_there_for_others():
    code = """if True:
        import sys
        from orthanc_lab.lab.json_schemas import import_without_iri
        import_without_iri()
        import jsonschema
        assert "uri" in jsonschema.FormatChecker.checkers
        assert not {"iri", "iri-reference"} & set(jsonschema.FormatChecker.checkers)
        assert "rfc3987_syntax" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_extra_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(command, "missing_packages", lambda: ["jupyterlab"])
    assert command.main(["--once"]) == 1
    words = capsys.readouterr().err
    assert words == "orthanc-lab lab: Missing packages: jupyterlab. Run: pip install 'orthanc-lab[notebook]'\n"


def test_a_folder_that_cannot_be_made(lab, tmp_path):
    (tmp_path / "file").write_text("")
    running = lab("--port", "0", "--lab-port", "0", "--folder", str(tmp_path / "file"))
    assert running.wait() == 1
    assert "Choose another --folder" in "\n".join(running.output)


def test_help(capsys):
    with pytest.raises(SystemExit) as end:
        command.main(["--help"])
    assert end.value.code == 0
    words = capsys.readouterr().out
    for option in ("--no-samples", "--folder", "--storage", "--port", "--lab-port", "--no-browser", "--url", "--once"):
        assert option in words
