"""Where extensions come from, and which do not go together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab import OrthancError
from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.extensions import Extension, Job, Route, StopReason
from tests.extensions import kinds
from tests.extensions.conftest import Asking
from tests.extensions.kinds import Counting

FILE = '''
"""Halves things."""

from dataclasses import dataclass

from orthanc_lab.extensions import Job, route
from tests.extensions.kinds import Counting


@dataclass
class Half:
    of: int


class Halve(Job):
    def step(self):
        self.content["Half"] = Half(self.parameters["Of"] // 2).of
        return False


@route("GET", "/halves")
def halves(request):
    return [1, 2]
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "halve.py"
    path.write_text(FILE, encoding="utf-8")
    return path


def check_halving(asking: Asking, name: str = "halve") -> None:
    assert asking.ask("POST", "/extensions/Halve", json={"Of": 8}).json() == {"Half": 4}
    assert asking.get("/halves") == [1, 2]
    assert name in asking.get("/plugins")
    assert asking.ask("POST", "/extensions/Counting", json={"To": 1}).status_code == 404, "a class it only uses"


def test_a_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    for given in ("halve.py", file):
        with orthanc_lab.in_process(extensions=[given]) as server:
            check_halving(Asking(server))
            assert Asking(server).get("/plugins/halve")["Description"] == "Halves things."


def test_the_option_of_the_configuration(file: Path) -> None:
    with orthanc_lab.in_process({"Extensions": ["halve.py"]}, folder=file.parent) as server:
        check_halving(Asking(server))


def test_an_object_of_a_module() -> None:
    names = ["tests.extensions.kinds:kinds"]
    with orthanc_lab.in_process(extensions=names) as server:
        assert Asking(server).get("/plugins/kinds")["Version"] == "1.2"
    with orthanc_lab.in_process(extensions=["tests.extensions.kinds:Counting"]) as server:
        assert Asking(server).ask("POST", "/extensions/Counting", json={"To": 2}).json() == {"Done": 2, "To": 2}


@pytest.fixture
def package(file: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that is installed, with an entry point."""
    (file.parent / "halving_package.py").write_text(FILE, encoding="utf-8")
    metadata = file.parent / "halving-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: halving\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[orthanc_lab.extensions]\nhalving = halving_package\n")
    monkeypatch.syspath_prepend(str(file.parent))
    return "halving"


def test_an_entry_point(package: str) -> None:
    with orthanc_lab.in_process(extensions=[package]) as server:
        check_halving(Asking(server), package)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing.py", "Cannot load the extension 'nothing.py': there is no such file"),
        ("broken.py", "Cannot load the extension 'broken.py': SyntaxError: invalid syntax (broken.py, line 1)"),
        ("raising.py", "Cannot load the extension 'raising.py': ZeroDivisionError: division by zero"),
        ("leaving.py", "Cannot load the extension 'leaving.py': SystemExit: 3"),
        ("empty.py", "Cannot load the extension 'empty.py': it has neither a class made from Job nor a function below"),
        ("two.py", "Cannot load the extension 'two.py': it has more than one Extension"),
        ("nobodys", "Cannot load the extension 'nobodys': no installed package has an extension of this name (there "),
        ("no.such.module:x", "Cannot load the extension 'no.such.module:x': ModuleNotFoundError: No module named 'no'"),
        ("tests.waiting:until", "Cannot load the extension 'tests.waiting:until': TypeError: <function until at 0x"),
        ("tests.waiting:x", "Cannot load the extension 'tests.waiting:x': AttributeError: module 'tests.waiting'"),
    ],
)
def test_what_cannot_be_loaded(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def")
    (tmp_path / "raising.py").write_text("1 / 0")
    (tmp_path / "leaving.py").write_text("raise SystemExit(3)")
    (tmp_path / "empty.py").write_text("import orthanc_lab")
    (tmp_path / "two.py").write_text("from orthanc_lab.extensions import Extension as E\na, b = E('a'), E('b')")
    with pytest.raises(OrthancError) as caught:
        orthanc_lab.in_process({"Extensions": [name]}, folder=tmp_path)
    assert caught.value.code == 1
    assert caught.value.details.startswith(words)


def job(**members: Any) -> type[Job]:
    return type("Made", (Job,), {"step": lambda self: False, **members})


def get(path: str, method: str = "GET") -> Route:
    return Route(method, path, lambda request, **fields: 1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: [Extension("a"), Extension("a")], "The name a of the extension a is taken by a"),
        (lambda: [Extension("transfers")], "'transfers' cannot be the name of an extension"),
        (lambda: [Extension("../a")], "'../a' cannot be the name of an extension"),
        (lambda: [job(), Extension("b", [job(route="/b")])], "The type of job Made of the extension b is taken by Ma"),
        (lambda: [job(type="Archive")], "The type of job Archive of the extension Archive is taken by the server"),
        (lambda: [Extension("a", [job(type="a b")])], "'a b' cannot be the type of a job"),
        (lambda: [job(step_timeout=0)], "step_timeout of Made must be a number of seconds, not 0"),
        (lambda: [type("Empty", (Job,), {})], "The class Empty has no step()"),
        (lambda: [Extension("a", [int])], "<class 'int'> is no kind of job: it must be a class made from Job"),
        (lambda: [Extension("a", (), [len])], "<built-in function len> is no route: a function needs @route above it"),
        (lambda: [job(route="/studies/{x}")], "The path /studies/{x} of the extension Made is taken by the server"),
        (lambda: [job(route="studies")], "The path 'studies' must begin with \"/\""),
        (lambda: [Extension("a", (), [get("/")])], "In the path /, '' is neither a name nor a field"),
        (lambda: [Extension("a", (), [get("/webdav/x")])], "The path /webdav/x of the extension a is taken by the s"),
        (lambda: [Extension("a", (), [get("/system", "POST")])], "The path /system of the extension a is taken by "),
        (lambda: [Extension("a", (), [get("/{x:path}")])], "The path /{x:path} must begin with a name"),
        (lambda: [Extension("a", (), [get("/a/{x}")]), Extension("b", (), [get("/a/{y}", "PUT")])],
         "The paths /a/{x} and /a/{y} differ in the names of fields only"),
        (lambda: [Extension("a", (), [get("/a")]), Extension("b", (), [get("/a")])],
         "The route GET /a of the extension b is taken by a"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(make: Any, words: str) -> None:
    with pytest.raises(OrthancError) as caught:
        orthanc_lab.in_process(extensions=make())
    assert caught.value.code == 1
    assert caught.value.details.startswith(words)


@pytest.mark.parametrize("wrong", [[7], [len], [StopReason], [Job.step], Counting, "halve.py", 7, None])
def test_what_is_no_extension(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"is no extension|must be given as a list"):
        orthanc_lab.in_process(extensions=wrong)
    with pytest.raises(TypeError, match=r"is no extension|must be given as a list"):
        orthanc_lab.serve(process=True, extensions=wrong)


def test_two_verbs_of_one_path_come_from_two_extensions() -> None:
    both = [Extension("a", (), [get("/a/{x}")]), Extension("b", [job(route="/a/{x}")])]
    with orthanc_lab.in_process(extensions=both) as server:
        asking = Asking(server)
        assert asking.ask("GET", "/a/1").json() == 1
        assert asking.ask("POST", "/a/1").json() == {}
        assert asking.ask("DELETE", "/a/1").headers["Allow"] == "GET,POST"


def test_the_command_line(file: Path, tmp_path: Path) -> None:
    (tmp_path / "configuration.json").write_text('{"HttpPort": 0, "DicomServerEnabled": false}')
    command = [sys.executable, "-m", "orthanc_lab", "--extension=nothing.py", "configuration.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 255
    assert "nothing.py': there is no such file" in done.stderr


@pytest.mark.long
def test_the_command_line_serves_a_file_and_an_entry_point(package: str, file: Path) -> None:
    path = f"{file.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    for name in (str(file), package):
        command = f"env PYTHONPATH={path} {sys.executable} -m orthanc_lab --extension={name} {{config}}"
        server = ServerProcess("orthanc-lab", command, {})
        server.start()
        try:
            assert requests.get(f"{server.url}/halves", timeout=20).json() == [1, 2]
        finally:
            server.remove()


def test_another_process_loads_what_a_module_or_a_file_defines(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    given = ["halve.py", kinds.kinds]
    with orthanc_lab.serve(process=True, extensions=given, DicomServerEnabled=False) as server:
        asking = Asking(server)
        assert asking.ask("POST", "/extensions/Halve", json={"Of": 8}).json() == {"Half": 4}
        assert asking.get("/kinds/echo/a/b")["Process"] == server.pid
        assert asking.get("/plugins") == ["explorer.js", "halve", "kinds", "transfers"]


@pytest.mark.parametrize("item", [Extension("x"), Extension("y", (), [get("/y")]), job()])
def test_another_process_cannot_import_what_was_made_in_this_one(item: Any) -> None:
    with pytest.raises(ValueError, match=r"Another process cannot import .* write it into a file"):
        orthanc_lab.serve(process=True, extensions=[item])
