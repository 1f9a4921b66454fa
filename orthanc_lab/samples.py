"""The sample data, one import away: phantoms, an image and a document. None of it comes from a patient.

Examples
--------
>>> from orthanc_lab import samples
>>> len(samples.dicom_files())
44
>>> samples.path("report.pdf").read_bytes()[:8]
b'%PDF-1.4'
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orthanc_lab.protocol.arguments import check_text

__all__ = ["dicom_files", "dictionary", "folder", "path"]


def folder() -> Path:
    """Return the folder of the sample data: inside the wheel, or ``data/`` in a checkout.

    Examples
    --------
    >>> sorted(item.name for item in folder().iterdir() if item.is_dir() and item.name[0] != "_")
    ['ct', 'mr', 'us']
    """
    here = Path(__file__).resolve().parent
    packaged = here / "sample_data"
    return packaged if packaged.is_dir() else here.parent / "data"


def path(name: str) -> Path:
    """Return the path of one sample, such as ``chart.png``, ``report.pdf`` or ``ct/soft_tissue``.

    Raises
    ------
    FileNotFoundError
        If there is no such sample; the message lists those that exist.

    Examples
    --------
    >>> path("ct/sharp/001.dcm").name
    '001.dcm'
    """
    check_text(name, "the name of a sample, such as 'ct/sharp/001.dcm'")
    found = folder() / name
    if not found.exists():
        below = (item.relative_to(folder()) for item in folder().rglob("*"))
        names = sorted(item.as_posix() for item in below if "__pycache__" not in item.parts and item.suffix != ".py")
        raise FileNotFoundError(f"There is no sample {name!r}. Available: {', '.join(names)}")
    return found


def dicom_files(below: str = "") -> list[Path]:
    """Return the DICOM samples below a folder such as ``ct`` or ``ct/sharp``, sorted by name.

    Examples
    --------
    >>> len(dicom_files()), len(dicom_files("ct/sharp"))
    (44, 10)
    """
    return sorted((path(below) if below else folder()).rglob("*.dcm"))


def dictionary() -> dict[str, list[Any]]:
    """Return the private tags of the examples, in the form of the option ``Dictionary``.

    Examples
    --------
    >>> dictionary()["0405,1001"]
    ['ST', 'MyPrivateXMLTag', 1, 1, 'My Company']
    """
    return {
        "0405,0010": ["LO", "PrivateCreatorForMyCompany", 1, 1, "My Company"],
        "0405,1001": ["ST", "MyPrivateXMLTag", 1, 1, "My Company"],
    }
