"""The package as a person gets it: a wheel, installed in a fresh environment, away from the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTENTS = [
    "orthanc_lab/py.typed",
    "orthanc_lab/dicom/dictionary_public.txt",
    "orthanc_lab/dicom/dictionary_private.txt",
    "orthanc_lab/dicom/anonymization_profiles.txt",
    "orthanc_lab/storage/sqlite/schema.sql",
    "orthanc_lab/sample_data/chart.png",
    "orthanc_lab/sample_data/chart.jpg",
    "orthanc_lab/sample_data/report.pdf",
    "orthanc_lab/sample_data/prometheus.yml",
]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hatchling = pytest.importorskip("hatchling.build", reason="builds the wheel: pip install hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    code = f"import {hatchling.__name__} as build; print(build.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def run(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run ``orthanc-lab`` of a fresh environment; what it needs besides is borrowed from this one."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env" / "bin" / "python"
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        (entries,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        command = re.search(r"orthanc-lab = (\S+):(\S+)", archive.read(entries).decode())
        assert command is not None
    others = [path for path in sys.path if path.endswith("site-packages") and (Path(path) / "falcon").is_dir()]
    (site / "borrowed.pth").write_text("\n".join(others), encoding="utf-8")
    start = f"import sys; from {command[1]} import {command[2]} as main; sys.argv[0] = 'orthanc-lab'; sys.exit(main())"

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [python, "-W", "error", "-P", "-c", start, *arguments],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    call.python = python  # type: ignore[attr-defined] # for the test of where things come from
    return call


def test_the_wheel_holds_what_is_no_python(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    page = {path.relative_to(ROOT).as_posix() for path in (ROOT / "orthanc_lab" / "rest" / "page").iterdir()}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "orthanc_lab").rglob("*.py")}
    samples = {
        path.relative_to(ROOT).as_posix().replace("data/", "orthanc_lab/sample_data/", 1)
        for path in (ROOT / "data").rglob("*.dcm")
    }
    assert len(page) >= 8
    assert len(samples) >= 40
    assert {
        *page,
        *modules,
        *samples,
        *(name for name in CONTENTS if (ROOT / name).exists() or "sample" in name),
    } <= names
    assert not {name for name in names if name.startswith(("tests/", "data/", "docs/"))}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_it_comes_from_the_wheel(run: Run, wheel: Path) -> None:
    code = "import orthanc_lab, orthanc_lab.samples as samples; print(orthanc_lab.__file__, samples.folder())"
    done = subprocess.run([run.python, "-P", "-c", code], cwd="/", capture_output=True, text=True, check=True)  # type: ignore[attr-defined] # see above
    assert done.stdout.count(str(Path(run.python).parents[1])) == 2  # type: ignore[attr-defined] # see above


def test_the_demo(run: Run) -> None:
    done = run("demo", "--once", "--port", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for words in ("archive", "DICOMDIR", "PDF", "metrics"):
        assert words.lower() in done.stdout.lower(), words


def test_what_it_says_of_itself(run: Run) -> None:
    assert run("--version").stdout.startswith("Orthanc 1.12.7")
    assert "BadFileFormat" in run("--errors").stdout.replace(" ", "") or "Bad file format" in run("--errors").stdout
    sample = run("--config=-")
    assert sample.returncode == 0
    assert '"HttpPort"' in sample.stdout
    for option in ("--openapi=-", "--cheatsheet=-"):
        assert run(option).returncode == 0, option
    assert json.loads(run("--openapi=-").stdout)["paths"]["/jobs"]
