"""The copy of the notebooks in the user's folder: complete, and never over what is there."""

from __future__ import annotations

import json

import pytest

from orthanc_lab.lab import notebooks
from orthanc_lab.lab.notebooks import copy_notebooks, packaged_notebooks
from tests.full_disk import full_disk


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "package"
    (folder / "pictures").mkdir(parents=True)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "01-checkpoint.ipynb").write_text("old")
    (folder / "01.ipynb").write_text("one")
    (folder / "02.ipynb").write_text("two")
    (folder / "pictures" / "a.png").write_bytes(b"\x89PNG")
    monkeypatch.setattr(notebooks, "_PACKAGED", folder)
    return folder


def test_a_checkout_has_its_own():
    assert (packaged_notebooks() / "01_quick_tour.ipynb").is_file()
    assert notebooks.is_checkout()


def test_all_are_copied_but_checkpoints(package, tmp_path):
    found = copy_notebooks(tmp_path / "new" / "folder")
    assert found.copied == ("01.ipynb", "02.ipynb", "pictures/a.png")
    assert found.kept == ()
    assert (found.folder / "pictures" / "a.png").read_bytes() == b"\x89PNG"
    assert not (found.folder / ".ipynb_checkpoints").exists()


def test_a_disk_that_is_full_leaves_no_part_of_a_notebook(package, tmp_path):
    (package / "01.ipynb").write_bytes(bytes(20_000))
    with full_disk(19_990), pytest.raises(OSError, match="File too large"):
        copy_notebooks(tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []
    assert copy_notebooks(tmp_path / "mine").copied == ("01.ipynb", "02.ipynb", "pictures/a.png")


def test_what_is_there_stays(package, tmp_path):
    target = tmp_path / "mine"
    target.mkdir()
    (target / "01.ipynb").write_text("my work")
    (target / "other.txt").write_text("mine, too")
    found = copy_notebooks(target)
    assert (found.copied, found.kept) == (("02.ipynb", "pictures/a.png"), ("01.ipynb",))
    again = copy_notebooks(target)
    assert (again.copied, again.kept) == ((), ("01.ipynb",))
    assert (target / "01.ipynb").read_text() == "my work"
    assert (target / "other.txt").read_text() == "mine, too"


def test_a_notebook_that_was_merely_run_is_the_same(package, tmp_path):
    def book(source, outputs):
        return json.dumps({"cells": [{"cell_type": "code", "source": [source], "outputs": outputs}]})

    (package / "01.ipynb").write_text(book("1 + 1", []))
    copy_notebooks(tmp_path / "mine")
    (tmp_path / "mine" / "01.ipynb").write_text(book("1 + 1", ["2"]))
    assert copy_notebooks(tmp_path / "mine").kept == ()
    (tmp_path / "mine" / "01.ipynb").write_text(book("1 + 2", ["3"]))
    assert copy_notebooks(tmp_path / "mine").kept == ("01.ipynb",)


def test_a_copy_that_fails_leaves_no_half_file(package, tmp_path, monkeypatch):
    target = tmp_path / "mine"
    target.mkdir()

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, content):
            self.file.write(content[:1])
            raise OSError(28, "No space left on device")

    class FullDisk(type(target)):
        def open(self, mode="r", **options):
            return Full(super().open(mode, **options))

    with pytest.raises(OSError, match="No space left"):
        copy_notebooks(FullDisk(target))
    assert list(target.iterdir()) == []


def test_an_installation_without_notebooks_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "_PACKAGED", tmp_path / "a")
    monkeypatch.setattr(notebooks, "_CHECKOUT", tmp_path / "b")
    with pytest.raises(FileNotFoundError, match="has no notebooks"):
        copy_notebooks(tmp_path / "c")
