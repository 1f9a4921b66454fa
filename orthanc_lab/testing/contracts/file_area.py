"""What every file area must do: a back end passes by a subclass with a fixture ``area``."""

from __future__ import annotations

import threading
import uuid

import pytest

from orthanc_lab.storage.files.area import FileArea

__all__ = ["FileAreaContract"]

_LARGE = bytes(range(256)) * (5 << 12)  # 5 MB


def _name(extension: str = ".dcm") -> str:
    return f"{uuid.uuid4()}{extension}"


class FileAreaContract:
    """The contract of `orthanc_lab.storage.files.area.FileArea`.

    A subclass has a fixture ``area`` that returns one; other tests may have left files there.
    """

    @pytest.mark.parametrize("extension", ["", ".dcm", ".dcm.head", ".json", ".unk"])
    @pytest.mark.parametrize("sync", [True, False])
    def test_a_file_is_kept(self, area: FileArea, extension: str, sync: bool) -> None:
        """Under its name, whatever the kind."""
        name, other = _name(extension), _name(extension)
        area.write(name, b"one", sync=sync)
        area.write(other, b"another", sync=sync)
        assert (area.read(name), area.read(other)) == (b"one", b"another")
        area.sync(name)
        assert area.read(name) == b"one"

    @pytest.mark.parametrize(
        "data", [b"", b"\0", _LARGE, _LARGE[:-1001]], ids=["empty", "one byte", "5 MB", "no blocks"]
    )
    def test_any_content(self, area: FileArea, data: bytes) -> None:
        """Of any size, byte for byte."""
        name = _name()
        area.write(name, data, sync=True)
        assert area.read(name) == data
        assert area.read(name, 10) == data[:10]
        assert area.read(name, None, 1) == data[1:]

    @pytest.mark.parametrize(
        ("size", "offset"),
        [(3, 0), (3, 4), (0, 2), (10, 0), (3, 8), (100, 0), (100, 9), (1, 10), (5, 100), (None, 4), (None, 10)],
    )
    def test_a_part_is_read(self, area: FileArea, size: int | None, offset: int) -> None:
        """Less at the end, nothing behind it."""
        name, data = _name(), b"0123456789"
        area.write(name, data, sync=False)
        end = None if size is None else offset + size
        assert area.read(name, size, offset) == data[offset:end]

    def test_parts_of_a_large_file(self, area: FileArea) -> None:
        """Wherever they begin and end."""
        name = _name()
        area.write(name, _LARGE, sync=True)
        for offset, size in ((0, 1), (1 << 20, 1), ((1 << 20) - 5, 10), (3_000_001, 1_500_000), (len(_LARGE) - 3, 9)):
            assert area.read(name, size, offset) == _LARGE[offset : offset + size]

    def test_no_file_is_replaced(self, area: FileArea) -> None:
        """Whoever comes second is told so."""
        name = _name()
        area.write(name, b"first", sync=True)
        with pytest.raises(FileExistsError):
            area.write(name, b"second", sync=True)
        assert area.read(name) == b"first"

    def test_one_of_many_writers_wins(self, area: FileArea) -> None:
        """All others are told so."""
        name = _name()
        won: list[bytes] = []
        start = threading.Barrier(4)

        def write(data: bytes) -> None:
            start.wait()
            try:
                area.write(name, data, sync=True)
            except FileExistsError:
                return
            won.append(data)

        writers = [threading.Thread(target=write, args=(b"%d" % number * 1000,)) for number in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert won == [area.read(name)]

    def test_a_missing_file(self, area: FileArea) -> None:
        """Is said to be missing."""
        for part in ((None, 0), (5, 0), (None, 3)):
            with pytest.raises(FileNotFoundError):
                area.read(_name(), *part)

    def test_a_file_is_removed(self, area: FileArea) -> None:
        """Twice does no harm, and others stay."""
        name, other = _name(), _name()
        area.write(name, b"x", sync=True)
        area.write(other, b"y", sync=True)
        for _ in range(2):
            area.remove(name)
        with pytest.raises(FileNotFoundError):
            area.read(name)
        assert area.read(other) == b"y"
        area.write(name, b"again", sync=True)
        assert area.read(name) == b"again"
