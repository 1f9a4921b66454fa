"""What can be uploaded, and how it is brought together into requests."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union, cast

if TYPE_CHECKING:
    import pydicom

__all__ = ["Item", "Source", "batches", "items_of"]

Source: TypeAlias = Union[str, Path, bytes, "pydicom.Dataset"]
"""A file, a folder (read with all below it), the bytes of a file or of a ZIP, or a data set."""

LARGE = 1 << 20
"""A file of so many bytes travels alone."""

_BATCH_BYTES = 2 << 20
_BATCH_FILES = 100
_DEFAULT_SIZE = 64 << 10  # what a data set is reckoned at, before it is written


@dataclass(frozen=True)
class Item:
    """One thing to upload: its name in the report, and where its bytes are."""

    name: str
    source: Source

    def size(self) -> int:
        """Return its size in bytes, about."""
        if isinstance(self.source, bytes):
            return len(self.source)
        if isinstance(self.source, Path):
            return self.source.stat().st_size
        return _DEFAULT_SIZE

    def is_large(self) -> bool:
        """Tell whether it travels alone; also if its size cannot be told: who reads it will say why."""
        try:
            return self.size() >= LARGE
        except OSError:
            return True

    def read(self) -> bytes:
        """Return its bytes.

        Raises
        ------
        ValueError
            If it cannot be read, or is a data set that cannot be written; in words.
        """
        if isinstance(self.source, bytes):
            return self.source
        try:
            if isinstance(self.source, (str, Path)):
                return Path(self.source).read_bytes()
            out = io.BytesIO()
            self.source.save_as(out, enforce_file_format=True)
            return out.getvalue()
        except (OSError, ValueError, AttributeError, TypeError, NotImplementedError) as error:
            raise ValueError(f"cannot be read: {error}") from error

    def identifier(self) -> str | None:
        """Return the Orthanc identifier that the instance will have, None if it is no single instance.

        It is the SHA-1 of PatientID and the three UIDs (Orthanc Book, "Orthanc identifiers").
        """
        import pydicom  # noqa: PLC0415 - slow to import

        names = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        try:
            dataset = self._header(pydicom, list(names))
            values = [str(dataset.get(name) or "").strip(" \0") for name in names]
        except Exception:  # pydicom stumbles in many ways; the server is the judge of what this is
            return None
        if not all(values[1:]):
            return None
        digest = hashlib.sha1("|".join(values).encode(), usedforsecurity=False).hexdigest()
        return "-".join(digest[start : start + 8] for start in range(0, 40, 8))

    def _header(self, pydicom: Any, names: list[str]) -> Any:
        if not isinstance(self.source, (bytes, str, Path)):
            return self.source
        file = io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source
        return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=names, force=True)


def items_of(sources: Source | Iterable[Source]) -> list[Item]:
    """Return all that `sources` name, folders with the files below them.

    Raises
    ------
    FileNotFoundError
        If a path does not exist.
    TypeError
        If one of them is nothing that can be uploaded.
    """
    single = isinstance(sources, (str, Path, bytes)) or hasattr(sources, "save_as")
    each: Iterable[Any] = cast("Iterable[Any]", [sources] if single else sources)
    return [item for number, source in enumerate(each) for item in _expanded(number, source)]


def _expanded(number: int, source: Any) -> Iterator[Item]:
    if isinstance(source, (str, Path)):
        path = Path(source)
        if path.is_dir():
            yield from (Item(str(child), child) for child in sorted(path.rglob("*")) if child.is_file())
        elif path.exists():
            yield Item(str(path), path)
        else:
            raise FileNotFoundError(f"{path} does not exist")
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield Item(f"item {number}", bytes(source))
    elif hasattr(source, "save_as"):
        yield Item(f"item {number}", source)
    else:
        raise TypeError(f"A {type(source).__name__} cannot be uploaded; give a path, bytes or a pydicom.Dataset")


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Bring small files together, so that one request carries many of them."""
    batch: list[Item] = []
    total = 0
    for item in items:
        if item.is_large():
            yield [item]
            continue
        size = item.size()
        if batch and (total + size > _BATCH_BYTES or len(batch) >= _BATCH_FILES):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size
    if batch:
        yield batch
