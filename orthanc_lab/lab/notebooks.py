"""The notebooks included in the package, and their copies in the user's folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orthanc_lab.protocol.replacing import replacing

__all__ = ["Lessons", "copy_notebooks", "find_lesson", "is_checkout", "packaged_notebooks"]

_PACKAGE = Path(__file__).resolve().parents[1]
_PACKAGED = _PACKAGE / "notebooks"
_CHECKOUT = _PACKAGE.parent / "notebooks"
_START = "00_start_here.ipynb"
_DIGITS = 2  # of the number of a lesson
_LEFT_OUT = {".ipynb_checkpoints", ".orthanc-lab-progress", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Lessons:
    """The folder that JupyterLab opens.

    Attributes
    ----------
    copied
        Names of the files copied into it.
    kept
        Names of existing files that differ from those in the package, and were not overwritten. Notebooks that
        were merely run do not differ.
    """

    folder: Path
    copied: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def start(self) -> str | None:
        """The notebook to open first: the index, if the folder has it."""
        return _START if (self.folder / _START).is_file() else None


def packaged_notebooks() -> Path:
    """Return the folder of the notebooks: inside the wheel, or ``notebooks/`` in a checkout.

    Raises
    ------
    FileNotFoundError
        If the installation has no notebooks.
    """
    for folder in (_PACKAGED, _CHECKOUT):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"This installation has no notebooks; they would be in {_PACKAGED}")


def find_lesson(word: str) -> str | None:
    """Return the file name of the lesson that a word of the command line stands for; None if it stands for none.

    Raises
    ------
    LookupError
        For the number of a lesson that does not exist; the message names those that do.

    Examples
    --------
    >>> find_lesson("4"), find_lesson("04_dicomizing"), find_lesson("orthanc.json")
    ('04_dicomizing.ipynb', '04_dicomizing.ipynb', None)
    """
    lessons = sorted(file.name for file in packaged_notebooks().glob("[0-9][0-9]_*.ipynb"))
    if word.isdecimal() and len(word) <= _DIGITS:
        for name in lessons:
            if name.startswith(f"{int(word):02}_"):
                return name
        raise LookupError(f"There is no lesson {word}. The lessons are:\n  " + "\n  ".join(lessons))
    return next((name for name in lessons if word in {name, name.removesuffix(".ipynb")}), None)


def is_checkout() -> bool:
    """Whether the package runs from a checkout, whose notebooks are opened in place."""
    return not _PACKAGED.is_dir() and _CHECKOUT.is_dir()


def copy_notebooks(target: Path) -> Lessons:
    """Copy the notebooks to a folder; existing files are never overwritten.

    Raises
    ------
    OSError
        If the folder cannot be created or written to.
    """
    source = packaged_notebooks()
    target.mkdir(parents=True, exist_ok=True)
    copied, kept = [], []
    for file in _files(source):
        name = file.relative_to(source)
        content = file.read_bytes()
        there = target / name
        if there.exists():
            if not there.is_file() or not _is_the_same(there.read_bytes(), content):
                kept.append(name.as_posix())
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        with replacing(there) as part:  # a partial notebook would never be replaced
            part.write_bytes(content)
        copied.append(name.as_posix())
    return Lessons(target, tuple(copied), tuple(kept))


def _is_the_same(one: bytes, other: bytes) -> bool:
    return one == other or (_sources(one) is not None and _sources(one) == _sources(other))


def _sources(content: bytes) -> list[tuple[str, str]] | None:
    """Return the kind and the text of each cell of a notebook, None for another file."""
    try:
        return [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(content)["cells"]]
    except (ValueError, KeyError, TypeError):
        return None


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not _LEFT_OUT.intersection(file.relative_to(folder).parts):
            yield file
