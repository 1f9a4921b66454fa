"""What every output store must do: a back end passes by a subclass with a fixture ``outputs``."""

from __future__ import annotations

import pytest

from orthanc_lab.jobs.output_store import OutputStore

__all__ = ["OutputStoreContract"]


def _write(outputs: OutputStore, name: str, data: bytes, offset: int = 0) -> int:
    writer, start = outputs.append(name, offset)
    try:
        writer.write(data)
    finally:
        writer.close()
    return start


def _read(outputs: OutputStore, name: str) -> bytes:
    with outputs.open(name) as file:
        return file.read()


class OutputStoreContract:
    """The contract of `orthanc_lab.jobs.output_store.OutputStore`.

    A subclass has a fixture ``outputs`` that returns an empty store.
    """

    def test_an_output_is_kept(self, outputs: OutputStore) -> None:
        """Under a name that nobody else gets."""
        first, other = outputs.new_name(".zip"), outputs.new_name(".zip")
        assert first != other
        assert first.endswith(".zip")
        assert outputs.size(first) is None
        _write(outputs, first, b"hello")
        assert (_read(outputs, first), outputs.size(first), list(outputs.names())) == (b"hello", 5, [first])

    @pytest.mark.parametrize(("offset", "start", "whole"), [(0, 0, b"new"), (3, 3, b"oldnew"), (9, 0, b"new")])
    def test_it_goes_on_behind_an_offset(self, outputs: OutputStore, offset: int, start: int, whole: bytes) -> None:
        """What follows the offset is cut off; an output that is shorter begins anew."""
        name = outputs.new_name(".zip")
        _write(outputs, name, b"old and more"[: 12 if offset < 9 else 5])
        assert _write(outputs, name, b"new", offset) == start
        assert _read(outputs, name) == whole

    def test_a_missing_one_begins_anew(self, outputs: OutputStore) -> None:
        """Also if more was expected."""
        name = outputs.new_name(".zip")
        assert _write(outputs, name, b"x", 7) == 0
        assert _read(outputs, name) == b"x"

    def test_it_is_read_from_any_place(self, outputs: OutputStore) -> None:
        """While it grows, too."""
        name = outputs.new_name(".zip")
        writer, _ = outputs.append(name, 0)
        writer.write(b"0123456789")
        with outputs.open(name) as file:
            file.seek(4)
            assert file.read(3) == b"456"
            assert file.seek(0, 2) == 10
        writer.close()

    def test_the_last_reader_takes_it(self, outputs: OutputStore) -> None:
        """It is gone for others, and can still be read."""
        name = outputs.new_name(".zip")
        _write(outputs, name, b"once")
        with outputs.take(name) as file:
            assert outputs.size(name) is None
            assert file.read() == b"once"
        assert list(outputs.names()) == []

    def test_it_is_removed(self, outputs: OutputStore) -> None:
        """Twice does no harm."""
        name = outputs.new_name(".zip")
        _write(outputs, name, b"x")
        for _ in range(2):
            outputs.remove(name)
        assert outputs.size(name) is None
        for missing in (outputs.open, outputs.take):
            with pytest.raises(FileNotFoundError):
                missing(name)
