"""The command line: options, log, signals and exit codes, in processes of their own."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
import requests

from orthanc_lab import samples
from orthanc_lab.protocol.errors import ERROR_TEXTS
from orthanc_lab.server.api_document import cheat_sheet, openapi
from orthanc_lab.server.command_line import COMMANDS, main, read_call
from orthanc_lab.server.loopback import free_port, is_listening
from tests.server.wire import connect
from tests.waiting import until

PROGRAM = [sys.executable, "-m", "orthanc_lab"]
LINE = re.compile(r"[EWIT]\d{4} \d\d:\d\d:\d\d\.\d{6} .{16} \w+\.py:\d+\] .*")


class Running:
    """A server process with its log."""

    def __init__(self, folder, *arguments, files=0, **options):
        self.port = options.setdefault("HttpPort", free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.configuration = folder / "c.json"
        self.options = {"StorageDirectory": "storage", "DicomServerEnabled": False, **options}
        self.write(self.options)
        words = [str(self.configuration) if word == "FILE" else word for word in arguments or ["FILE"]]
        self.log_file = (folder / "log.txt").open("w+b")
        limit = f"ulimit -n {files}; " if files else ""
        command = ["bash", "-c", f'{limit}exec "$@"', "bash", *PROGRAM, *words]
        self.process = subprocess.Popen(command, cwd=folder, stderr=self.log_file, stdin=subprocess.DEVNULL)
        self.until(lambda: is_listening(self.port))

    def write(self, options):
        self.configuration.write_text(json.dumps(options))

    @property
    def log(self):
        self.log_file.seek(0)
        return self.log_file.read().decode()

    def until(self, condition, seconds=20):
        def look():
            assert self.process.poll() is None, self.log
            return condition()

        until(look, seconds=seconds, what=lambda: self.log)

    def name(self):
        try:
            answer = requests.get(f"{self.url}/system", timeout=30)
            return answer.json()["Name"] if answer.ok else None  # one that ends answers 503
        except (requests.ConnectionError, requests.Timeout):
            return None

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log_file.close()


@pytest.fixture
def run(tmp_path):
    servers = []

    def start(*arguments, **options):
        servers.append(Running(tmp_path, *arguments, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


# -- life ---------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["FILE"], ["serve", "FILE"], ["--no-jobs", "FILE"]])
def test_forms_of_the_command(run, arguments):
    server = run(*arguments, Name="here")
    assert server.name() == "here"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(run, number):
    server = run()
    server.process.send_signal(number)
    assert server.process.wait(10) == 0
    assert "Orthanc has stopped" in server.log
    assert not is_listening(server.port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once_and_loses_nothing(run, number):
    server = run("--verbose", "FILE")
    stored = requests.post(f"{server.url}/instances", data=samples.dicom_files()[0].read_bytes(), timeout=30).json()
    with connect(server.port) as client:
        client.sendall(b"POST /tools/lookup HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nno")
        server.until(lambda: "POST /tools/lookup" in server.log)
        server.process.send_signal(number)

        def ended():
            server.process.send_signal(number)
            return server.process.poll() is not None

        until(ended)
    assert server.process.returncode == 128 + number
    assert server.log.endswith("Asked to end again: ended at once\n")
    assert "Traceback" not in server.log
    assert "Orthanc has stopped" not in server.log
    assert requests.get(f"{run().url}/instances", timeout=30).json() == [stored["ID"]]


BEGUN = """
import signal, sys
from orthanc_lab.__main__ import main

class Told:
    def find_spec(self, name, *_):
        if name == "orthanc_lab.server.command_line":
            print("begun", flush=True)

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
sys.meta_path.insert(0, Told())
sys.exit(main())
"""
"""Runs a command, and says when it has begun."""


@pytest.mark.parametrize("words", [["serve", "c.json"], *([name] for name in COMMANDS)], ids=lambda words: words[0])
def test_an_interrupt_in_the_first_second_leaves_no_traceback(tmp_path, words):
    (tmp_path / "c.json").write_text(json.dumps({"HttpPort": free_port(), "DicomServerEnabled": False}))
    for pause in (0, 0.1, 0.3):
        process = subprocess.Popen(
            [sys.executable, "-c", BEGUN, *words], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env={**os.environ, "HOME": str(tmp_path)},
        )  # fmt: skip
        process.stdout.readline()
        time.sleep(pause)  # it is interrupted wherever it is by then
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
        assert "Traceback" not in errors
        assert "KeyboardInterrupt" not in errors


def test_a_client_ends_it(run):
    server = run()
    answer = requests.post(f"{server.url}/tools/shutdown", timeout=30)
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert server.process.wait(10) == 0


@pytest.mark.parametrize("way", ["signal", "client"])
def test_a_reset_reads_the_configuration_again(run, way):
    server = run(Name="old")
    pid = server.process.pid
    server.write({**server.options, "Name": "new"})
    if way == "signal":
        server.process.send_signal(signal.SIGHUP)
    else:
        assert requests.post(f"{server.url}/tools/reset", timeout=30).content == b"{}"
    server.until(lambda: server.name() == "new")
    assert server.process.pid == pid
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    assert server.log.count("Orthanc has started") == 2


def test_a_reset_with_a_broken_configuration_ends_it(run):
    server = run()
    server.configuration.write_text("{")
    server.process.send_signal(signal.SIGHUP)
    assert server.process.wait(10) == 255
    assert "does not follow the JSON syntax" in server.log
    assert f"{server.configuration}, line 1, column 2: Expecting property name" in server.log


def test_an_upload_in_work_is_answered_before_the_end(run):
    server = run("--verbose", "FILE")
    answers = []

    def body():
        yield b"no DICOM"
        server.until(lambda: "POST /instances" in server.log)
        server.process.send_signal(signal.SIGTERM)
        yield b" at all"

    def upload():
        answers.append(requests.post(f"{server.url}/instances", data=body(), timeout=10))

    thread = threading.Thread(target=upload)
    thread.start()
    thread.join()
    assert answers[0].json()["Details"] == "Cannot parse an invalid DICOM file (size: 15 bytes)"
    assert server.process.wait(10) == 0


def test_data_survive_kill_9(run, tmp_path):
    server = run()
    made = requests.post(f"{server.url}/tools/create-dicom", data='{"Tags" : {"PatientID" : "a"}}', timeout=30)
    server.process.kill()
    server.process.wait()
    again = run()
    answer = requests.get(f"{again.url}{made.json()['Path']}/file", timeout=30)
    assert answer.content[128:132] == b"DICM"


def test_more_slow_clients_than_file_descriptors(run):
    server = run(files=150, HttpRequestTimeout=1)
    clients = [connect(server.port) for _ in range(200)]
    try:
        for client in clients:
            client.sendall(b"POST /instances HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        server.until(lambda: server.name() == "", seconds=30)  # all of them have been let go
        made = requests.post(f"{server.url}/tools/create-dicom", data='{"Tags" : {}}', timeout=30)
        assert made.status_code == 200
    finally:
        for client in clients:
            client.close()
    assert "Traceback" not in server.log


# -- refusals: exit code 255 ---------------------------------------------------------------


def refused(*arguments, folder):
    run = subprocess.run([*PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 255
    assert all(LINE.fullmatch(line) for line in run.stderr.splitlines()), run.stderr
    return run.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope.json"], "Inexistent path to configuration: nope.json"),
        (["a.json", "b.json"], "More than one configuration path were provided on the command line, aborting"),
        (["--logdir=nope"], "The directory where to store the log files (nope) is inexistent, aborting."),
        (["--logfile=nope/log"], "Cannot write to the specified log file (nope/log), aborting."),
        (["--config=nope/sample"], 'Cannot write the file "nope/sample": There is no folder nope'),
    ],
)
def test_refused_arguments(tmp_path, arguments, words):
    assert words in refused(*arguments, folder=tmp_path)


def test_a_port_in_use(run, tmp_path):
    server = run()
    (tmp_path / "other.json").write_text(json.dumps({**server.options, "StorageDirectory": "other"}))
    log = refused("other.json", folder=tmp_path)
    assert f"The TCP port of the HTTP server is privileged or already in use:  (port = {server.port})" in log
    assert 'Choose another port ("HttpPort"; 0 takes any free one), or stop the program' in log
    assert "(code 2003)" in log


def test_a_storage_in_use(run, tmp_path):
    server = run()
    (tmp_path / "other.json").write_text(json.dumps({**server.options, "HttpPort": free_port()}))
    assert "(code 11)" in refused("other.json", folder=tmp_path)
    assert server.name() == ""


# -- answers instead of serving --------------------------------------------------------------


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("Orthanc 1.12.7\n")


def test_errors(capsys):
    assert main(["nope", "--errors", "--version"]) == 0
    out = capsys.readouterr().out
    assert all(f"{code:16}   {text}\n" in out for code, text in ERROR_TEXTS.items())


@pytest.mark.parametrize("option", ["--errors", "--openapi=-"])
def test_whoever_reads_the_output_may_go(option):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as out:
        command = [sys.executable, "-m", "orthanc_lab", option]
        done = subprocess.run(command, check=False, stdout=out, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (255, b"")


def test_the_demo_without_a_terminal_draws_each_bar_once():
    command = [sys.executable, "-m", "orthanc_lab", "demo", "--once", "--port", "0"]
    lines = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\n")
    bars = [number for number, line in enumerate(lines) if "100%" in line]
    assert bars
    assert not {number + 1 for number in bars} & set(bars)
    assert not any("\r" in line for line in lines)


def test_help(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for option in ("--no-jobs", "--verbose", "--config=", "--logdir=", "--logfile=", "--openapi=", "serve", "demo"):
        assert option in out


def test_sample(capsys, tmp_path):
    assert main(["--config=-"]) == 0
    assert main([f"--config={tmp_path / 'sample.json'}"]) == 0
    assert capsys.readouterr().out == (tmp_path / "sample.json").read_text()


def test_openapi():
    paths = json.loads(openapi())["paths"]
    assert set(paths["/jobs/{job_id}"]) == {"get", "delete"}
    assert paths["/tools/metrics-prometheus"]["get"]["summary"]
    assert all(verb["summary"] for verbs in paths.values() for verb in verbs.values())


def test_cheat_sheet():
    lines = cheat_sheet().splitlines()
    assert lines[0] == "Path,GET,POST,PUT,DELETE,Summary"
    assert any(line.startswith("/tools/metrics,X,,X,") for line in lines)


# -- options and log --------------------------------------------------------------------------


def test_options_are_read_from_left_to_right():
    call = read_call(["--verbose", "--trace-http", "file", "--no-jobs", "--upgrade", "--seed=4", "--foo", "--bar=1"])
    assert call.verbosity == (("verbose", None), ("trace", "http"))
    assert (call.load_jobs, call.seed, str(call.configuration)) == (False, 4, "file")
    assert call.unknown == ("--foo", "--bar=1")


def test_a_misspelt_command_is_said(capsys):
    assert main(["demmo"]) == 255
    assert capsys.readouterr().err == "There is no command or file 'demmo'; did you mean 'demo'?\n"


def test_the_log_says_the_address(run):
    server = run()
    server.until(lambda: "Orthanc has started" in server.log)
    server.until(lambda: f"The server is at {server.url}" in server.log)


def test_unknown_options_are_told_and_ignored(run):
    server = run("--foo", "FILE")
    assert "Option unsupported by the core of Orthanc: --foo" in server.log


def test_misspelt_options_of_a_file_are_told_with_the_nearest_name(run):
    server = run("FILE", JobsHistorySiz=3, DicomWeb={}, PostgreSQL={"EnableIndx": True}, Cluster={"Later": 1})
    assert server.name() == ""
    for words in (
        '"JobsHistorySiz" is unknown, and has no effect; did you mean "JobsHistorySize"?\n',
        '"PostgreSQL.EnableIndx" is unknown, and has no effect; did you mean "PostgreSQL.EnableIndex"?\n',
        '"Cluster.Later" is unknown, and has no effect\n',
    ):
        assert f"The configuration option {words}" in server.log
    assert 'The configuration option "DicomWeb" is unknown, and has no effect\n' in server.log


def test_the_form_of_the_log(run):
    server = run("FILE", LuaScripts=["a.lua"])
    server.until(lambda: "Orthanc has started" in server.log)
    lines = server.log.splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert sum("LuaScripts" in line for line in lines) == 1
    assert any("remote access is not allowed" in line for line in lines)


def test_verbose_logs_tell_the_requests(run):
    server = run("--verbose", "FILE")
    assert server.name() == ""
    assert re.search(r"^I.*\] GET /system$", server.log, re.MULTILINE)


def test_requests_are_not_told_by_default(run):
    server = run()
    assert server.name() == ""
    assert "/system" not in server.log


def test_log_files(run, tmp_path):
    server = run("--logfile=my.log", "FILE")
    server.until(lambda: "Orthanc has started" in (tmp_path / "my.log").read_text())
    (tmp_path / "logs").mkdir()
    server = run("--logdir=logs", "FILE", StorageDirectory="other")
    server.until(lambda: "Orthanc has started" in (tmp_path / "logs" / "Orthanc.log").read_text())
    assert len(list((tmp_path / "logs").iterdir())) == 2


def test_an_undefined_variable_is_told(run):
    server = run(Name="${ORTHANC_LAB_NO_SUCH_VARIABLE}")
    assert server.name() == ""
    assert "ORTHANC_LAB_NO_SUCH_VARIABLE" in server.log


@pytest.mark.parametrize("command", ["demo", "bench"])
def test_other_commands(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"orthanc-lab {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["demo", "--port"], ["lab", "--port"], ["lab", "--lab-port"], ["record", "--port"], ["replay", "--port"]]
)
@pytest.mark.parametrize("port", ["99999", "-1", "x"])
def test_what_is_no_port_is_an_error_of_the_argument(words, port, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*words, port])
    assert ended.value.code == 2
    assert f"argument {words[1]}: a port is a number from 0 to 65535, not '{port}'" in capsys.readouterr().err
