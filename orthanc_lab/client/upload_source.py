"""What can be uploaded, and how it is grouped into requests."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union, cast

from orthanc_lab.protocol.identifiers import orthanc_id

if TYPE_CHECKING:
    import pydicom

__all__ = ["Item", "Source", "batches", "items_of"]

Source: TypeAlias = Union[str, Path, bytes, "pydicom.Dataset"]
"""A file, a folder (with all its subfolders), the bytes of a file or of a ZIP, or a data set."""

LARGE = 1 << 20
"""A file of at least this many bytes gets a request of its own."""

_BATCH_BYTES = 2 << 20
_BATCH_FILES = 100
_DEFAULT_SIZE = 64 << 10  # assumed size of a data set that has not been written yet


@dataclass(frozen=True)
class Item:
    """One item to upload: its name in the report, and where its bytes are."""

    name: str
    source: Source

    def size(self) -> int:
        """Return its approximate size in bytes."""
        if isinstance(self.source, bytes):
            return len(self.source)
        if isinstance(self.source, Path):
            return self.source.stat().st_size
        return _DEFAULT_SIZE

    def is_large(self) -> bool:
        """Whether it gets a request of its own; so does an unreadable file, whose error then shows on reading."""
        try:
            return self.size() >= LARGE
        except OSError:
            return True

    def read(self) -> bytes:
        """Return its bytes.

        Raises
        ------
        ValueError
            If it cannot be read, or is a data set that cannot be written.
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
        """Return the Orthanc identifier that the instance will have, None if it is not a single instance."""
        import pydicom  # noqa: PLC0415 - slow to import

        names = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        try:
            dataset = self._header(pydicom, list(names))
            values = [str(dataset.get(name) or "").strip(" \0") for name in names]
        except Exception:  # pydicom fails in many ways; the server decides what the file is
            return None
        if not all(values[1:]):
            return None
        return orthanc_id(*values)

    def _header(self, pydicom: Any, names: list[str]) -> Any:
        if not isinstance(self.source, (bytes, str, Path)):
            return self.source
        file = io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source
        return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=names, force=True)


def items_of(sources: Source | Iterable[Source]) -> list[Item]:
    """Return the items that `sources` name; folders give all files below them.

    Raises
    ------
    FileNotFoundError
        If a path does not exist.
    TypeError
        If one of them cannot be uploaded.
    """
    single = (
        isinstance(sources, (str, Path, bytes, bytearray, memoryview))
        or hasattr(sources, "save_as")
        or hasattr(sources, "read")  # an open file, of which each line would be taken for a file
        or not isinstance(sources, Iterable)
    )
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
        what = "bytes, such as file.read()," if hasattr(source, "read") else "bytes"
        raise TypeError(f"Cannot upload {type(source).__name__}: pass a path, {what} or a pydicom.Dataset")


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Group small files, so that one request carries many of them."""
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
