"""The package as a person gets it: a wheel, installed in a fresh environment, away from the checkout."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from orthanc_lab.protocol.version import VERSION

ROOT = Path(__file__).parents[2]
CONTENTS = [
    "orthanc_lab/py.typed",
    "orthanc_lab/dicom/dictionary_public.txt",
    "orthanc_lab/dicom/dictionary_private.txt",
    "orthanc_lab/dicom/anonymization_profiles.txt",
    "orthanc_lab/storage/sqlite/schema.sql",
    "orthanc_lab/storage/sqlite/search_indexes.sql",
    "orthanc_lab/sample_data/chart.png",
    "orthanc_lab/sample_data/chart.jpg",
    "orthanc_lab/sample_data/report.pdf",
    "orthanc_lab/sample_data/prometheus.yml",
    "orthanc_lab/lab/orthanc.svg",
    "orthanc_lab/testing/certify/answers.json.xz",
    "orthanc_lab/testing/scenarios/ledger.toml",
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


def take_bytecode_over(site: Path) -> None:
    """Let each module of the wheel have what Python has compiled of the same one in the checkout."""
    for path in (site / "orthanc_lab").rglob("*.py"):
        source = ROOT / path.relative_to(site)
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if compiled.exists() and source.read_bytes() == path.read_bytes():
            shutil.copystat(source, path)  # by which Python knows it
            (path.parent / "__pycache__").mkdir(exist_ok=True)
            shutil.copy(compiled, path.parent / "__pycache__")


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
    take_bytecode_over(site)
    others = [path for path in sys.path if path.endswith("site-packages") and (Path(path) / "falcon").is_dir()]
    (site / "borrowed.pth").write_text("\n".join(others), encoding="utf-8")
    start = f"import sys; from {command[1]} import {command[2]} as main; sys.argv[0] = 'orthanc-lab'; sys.exit(main())"

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        share = Path(sys.prefix) / "share" / "jupyter"  # JupyterLab's pages are borrowed, too
        environment |= {"JUPYTERLAB_DIR": str(share / "lab"), "JUPYTER_PATH": str(share), "HOME": str(folder)}
        return subprocess.run(
            [python, "-W", "error", "-P", "-c", start, *arguments],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    call.python = python  # type: ignore[attr-defined] # for the test of where things come from
    return call


def test_it_has_the_version_that_the_server_states(wheel: Path) -> None:
    assert wheel.name.startswith(f"orthanc_lab-{VERSION}-")


def test_the_wheel_holds_what_is_no_python(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    page = {path.relative_to(ROOT).as_posix() for path in (ROOT / "orthanc_lab" / "rest" / "page").iterdir()}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "orthanc_lab").rglob("*.py")}
    samples = {
        path.relative_to(ROOT).as_posix().replace("data/", "orthanc_lab/sample_data/", 1)
        for path in (ROOT / "data").rglob("*.dcm")
    }
    notebooks = {f"orthanc_lab/{path.relative_to(ROOT)}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert len(notebooks) >= 1
    assert len(page) >= 8
    assert len(samples) >= 40
    assert {
        *page,
        *modules,
        *samples,
        *notebooks,
        *(name for name in CONTENTS if (ROOT / name).exists() or "sample" in name),
    } <= names
    assert not {name for name in names if name.startswith(("tests/", "data/", "notebooks/", "docs/"))}
    assert not [name for name in names if "sample_data" in name and name.endswith(".py")]  # the script that made them
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("DCMTK-COPYRIGHT.txt") and "licenses" in name for name in names)


def test_it_comes_from_the_wheel(run: Run, wheel: Path) -> None:
    code = "import orthanc_lab, orthanc_lab.samples as samples; print(orthanc_lab.__file__, samples.folder())"
    command = [run.python, "-E", "-P", "-c", code]  # type: ignore[attr-defined] # see above
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.count(str(Path(run.python).parents[1])) == 2  # type: ignore[attr-defined] # see above


def test_the_demo(run: Run) -> None:
    done = run("demo", "--once", "--port", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for words in ("archive", "DICOMDIR", "PDF", "metrics"):
        assert words.lower() in done.stdout.lower(), words


def test_the_lab_opens_a_copy_of_the_notebooks(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("jupyterlab")
    target = tmp_path / "mine"
    target.mkdir()
    (target / "01_quick_tour.ipynb").write_text("my work", encoding="utf-8")
    done = run("lab", "--once", "--port", "0", "--lab-port", "0", "--folder", str(target))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "Not overwritten, although the package has different versions: 01_quick_tour.ipynb" in done.stdout
    assert (target / "01_quick_tour.ipynb").read_text(encoding="utf-8") == "my work"
    for path in (ROOT / "notebooks").glob("0[2-9]_*.ipynb"):
        assert (target / path.name).read_bytes() == path.read_bytes()


@pytest.mark.long
def test_without_a_folder_the_copy_is_in_the_home(run: Run) -> None:
    pytest.importorskip("jupyterlab")
    done = run("lab", "--once", "--port", "0", "--lab-port", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("Notebooks:"))
    folder = Path(line.removeprefix("Notebooks:").strip())
    assert folder.name == "orthanc-lab-notebooks"
    assert {path.name for path in folder.iterdir()} >= {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}


def test_what_it_says_of_itself(run: Run) -> None:
    assert run("--version").stdout.startswith("Orthanc 1.12.7")
    errors = run("--errors").stdout
    assert "BadFileFormat" in errors.replace(" ", "") or "Bad file format" in errors
    sample = run("--config=-")
    assert sample.returncode == 0
    assert '"HttpPort"' in sample.stdout
    assert run("--cheatsheet=-").returncode == 0
    document = run("--openapi=-")
    assert document.returncode == 0
    assert json.loads(document.stdout)["paths"]["/jobs"]
