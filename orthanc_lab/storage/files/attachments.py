"""Attachments on their way to the disk and back."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Clock, Identifiers
from orthanc_lab.storage.files.area import AreaError, FileArea
from orthanc_lab.storage.files.cache import FileCache
from orthanc_lab.storage.files.compression import compress, uncompress
from orthanc_lab.storage.files.disk_errors import disk_error, read_error
from orthanc_lab.storage.files.journal import FileJournal
from orthanc_lab.storage.files.late_files import LateFiles
from orthanc_lab.storage.files.names import extension_of, file_name
from orthanc_lab.storage.files.prepared import PreparedFile, SmallFile
from orthanc_lab.storage.files.removal import FileRemoval
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.records import Attachment, AttachmentType

__all__ = ["AttachmentFiles"]

_AT_ONCE = 4  # pieces of work beside a write: it hashes, or waits for the disk
_WRITTEN_AT_ONCE = 8  # files of one upload that are on their way to an area that is elsewhere
_MOST_BESIDE = 16 << 20  # bytes; a larger file goes alone, so that memory is bounded
_MOST_MOVED = 10_000  # files of which it is known where they have gone
_OF_DICOM = (AttachmentType.DICOM, AttachmentType.DICOM_UNTIL_PIXEL_DATA)
SMALL = 32 * 1024
"""Files up to this size (bytes) are kept in the index: they share its commit."""


class AttachmentFiles:
    """Writes, reads and removes the files of attachments.

    Parameters
    ----------
    read_small
        Reads a small file from the index, by its key; None if there is none.
    late
        What finds files that are missing for a while, of an area that is elsewhere: what comes from there is compared
        with its MD5, too, and several files of one upload go there at the same time.
    """

    def __init__(
        self,
        area: FileArea,
        journal: FileJournal,
        *,
        options: StorageOptions,
        clock: Clock,
        executor: Executor,
        identifiers: Identifiers,
        metrics: Metrics,
        read_small: Callable[[int], bytes | None],
        late: LateFiles | None = None,
    ) -> None:
        self._area = area
        self._journal = journal
        self._options = options
        self._now = clock.monotonic
        self._identifiers = identifiers
        self._metrics = metrics
        self._read_small = read_small
        self._late = late
        self._cache = FileCache(options.maximum_cache_size << 20, metrics)
        self._pool = executor.pool("storage", _AT_ONCE)
        self._writers = executor.pool("storage-writes", _WRITTEN_AT_ONCE)  # no hash waits behind what they wait for
        self._removal = FileRemoval(area, journal, clock=clock, executor=executor, metrics=metrics)
        self._moving = threading.Lock()  # guards what follows
        self._moved: dict[str, Attachment] = {}  # by the UUID that a file had: readers may still ask for that

    def is_large(self, data: bytes) -> bool:
        """Tell whether `data` would be a file of its own, if not compressed."""
        return len(data) > SMALL

    def prepare(
        self,
        type: int,
        data: bytes,
        md5: str = "",
        *,
        compressed: bool,
        small: bool = True,
        syncing: list[Future[None]] | None = None,
    ) -> PreparedFile:
        """Write a file, unless it is small, or a DICOM file that is not to be stored.

        Either the index takes it over and `settle` is called, or `abandon`.

        Parameters
        ----------
        md5
            Of `data`, if it is known.
        compressed
            Keep it compressed.
        small
            False writes small files too.
        syncing
            Takes what `wait_for` waits for, in place of waiting for the disk, or the place of the files, here.

        Raises
        ------
        OrthancError
            19 if the disk is full, 14 if the file cannot be written for another reason.
        """
        start = self._now()
        on_disk = compress(data) if compressed else data
        content = writing = None
        if not self._is_stored(type):
            uuid = self._identifiers.uuid()
            plain_md5 = self._md5(data, md5)
            self._cache.put(_cache_key(uuid, plain_md5), data)
        elif small and len(on_disk) <= SMALL:
            uuid = self._identifiers.uuid()
            content = on_disk
            plain_md5 = self._md5(data, md5)
            # The row is written by the commit, which counts as the time to store the instance.
            self._metrics.record("orthanc_storage_create_duration_ms", self._milliseconds(start))
            self._metrics.record("orthanc_storage_written_bytes", len(on_disk))
        else:
            uuid, plain_md5, writing = self._write_and_hash(extension_of(type), data, on_disk, md5, syncing)
        disk_md5 = self._md5(on_disk) if compressed else plain_md5
        attachment = Attachment(int(type), uuid, len(data), plain_md5, len(on_disk), disk_md5, compressed)
        if content is None and self._is_stored(type):
            self._cache.put_fresh(_cache_key(uuid, plain_md5), data)
        return PreparedFile(attachment, content, writing)

    def copy(self, attachment: Attachment, area: FileArea) -> PreparedFile | None:
        """Write a file again, as it is, to a certain area; None if it is there already, or is no file.

        Raises
        ------
        OrthancError
            As `prepare` and `read`; 20 if the copy is not the same.
        """
        is_file = not isinstance(attachment, SmallFile) and self._is_stored(attachment.type)
        if not is_file or _is_in(area, file_name(attachment)):
            return None
        data = self._read(attachment)
        extension = extension_of(attachment.type)
        uuid = self._write_new(extension, data, area=area)
        copy = PreparedFile(replace(attachment, uuid=uuid), None)
        try:
            if area.read(uuid + extension) != data:
                raise OrthancError(ErrorCode.CORRUPTED_FILE, f"The copy of the file {attachment.uuid} is not the same")
        except BaseException as error:
            self.abandon([copy])
            if isinstance(error, OSError):
                raise read_error(error) from error
            raise
        return copy

    def note_move(self, uuid: str, copy: Attachment) -> None:
        """Take note that a copy is about to replace a file: who knows that by its UUID is given the copy."""
        with self._moving:
            self._moved[uuid] = copy
            if len(self._moved) > _MOST_MOVED:
                del self._moved[next(iter(self._moved))]

    def wait_for(self, syncing: Sequence[Future[None]]) -> None:
        """Wait until files are on the disk.

        Raises
        ------
        OrthancError
            As `prepare`.
        """
        problems = [future.exception() for future in syncing]
        for problem in problems:
            if isinstance(problem, OSError):
                raise disk_error(problem) from problem
            if problem is not None:
                raise problem

    def settle(self, files: Sequence[PreparedFile]) -> None:
        """Take note that the index refers to the files."""
        written = _written(files)
        if written:
            self._journal.taken_over(written)

    def take_over(self, transaction: object, files: Sequence[PreparedFile]) -> None:
        """Take note, within the transaction of the index, that it is going to refer to the files.

        Raises
        ------
        OrthancError
            36 if one of them has been given up in the meantime.
        """
        written = _written(files)
        if written:
            self._journal.take_over(transaction, written)

    def abandon(self, files: Sequence[PreparedFile]) -> None:
        """Remove files that the index did not take over, once they are written; what failed has been given up."""
        written = _written([file for file in files if file.writing is None or file.writing.exception() is None])
        if written:
            self.discard(written)

    def announce_removal(self, transaction: object, released: Iterable[Attachment]) -> None:
        """Note which files the transaction of the index is going to release.

        Raises
        ------
        OrthancError
            19 if the disk is full, 14 if it cannot be written for another reason.
        """
        names = _in_area(released)
        if names:
            try:
                self._journal.release(transaction, names)
            except OSError as error:
                raise disk_error(error) from error

    def remove(self, released: Iterable[Attachment]) -> None:
        """Remove the files of attachments that the index has released, and drop them from memory."""
        start = self._now()
        for attachment in released:
            for raw in (False, True):
                self._cache.drop(_cache_key(attachment.uuid, attachment.uncompressed_md5, raw=raw))
        self._metrics.record("orthanc_storage_remove_duration_ms", self._milliseconds(start))
        self._removal.remove(_in_area(released))

    def discard(self, names: Sequence[str]) -> None:
        """Remove files that the index does not refer to; those that cannot be removed now are removed later."""
        self._removal.remove(self._journal.give_up(names))

    def close(self) -> None:
        """End the work beside writes."""
        self._writers.shutdown()
        self._pool.shutdown()
        self._removal.close()

    def read(self, attachment: Attachment, *, raw: bool = False, fresh: bool = False, keep: bool = True) -> bytes:
        """Return the bytes of an attachment; `raw` as they are on disk, `fresh` not from memory.

        Parameters
        ----------
        keep
            Whether they may take a place in memory.

        Raises
        ------
        OrthancError
            13 if the file has vanished (17 if it was not to be stored), 20 if it cannot be read or uncompressed, or is
            not what was stored elsewhere; 36 if the place of the files is away, or the process has no descriptors left.
        """
        plain = raw or not attachment.compressed
        key = _cache_key(attachment.uuid, attachment.uncompressed_md5, raw=plain and attachment.compressed)
        data = None if fresh else self._cache.get(key)
        if data is None:
            data = self._read(attachment)
            if not plain:
                data = uncompress(data)
            if keep:
                self._cache.put(key, data)
        return data

    def read_part(self, attachment: Attachment, size: int, offset: int = 0) -> bytes:
        """Return `size` bytes of an attachment from `offset` on, less at its end."""
        if attachment.compressed or isinstance(attachment, SmallFile) or not self._is_stored(attachment.type):
            return self.read(attachment)[offset : offset + size]
        return self._read(attachment, size, offset)

    def _read(self, attachment: Attachment, size: int | None = None, offset: int = 0) -> bytes:
        start = self._now()
        if isinstance(attachment, SmallFile):
            small = self._read_small(attachment.key)
            if small is None:
                raise OrthancError(self._vanished(attachment))
            data = small
        else:
            data = self._read_file(attachment, size, offset)
        self._metrics.record("orthanc_storage_read_duration_ms", self._milliseconds(start))
        self._metrics.record("orthanc_storage_read_bytes", len(data))
        return data

    def _read_file(self, attachment: Attachment, size: int | None, offset: int) -> bytes:
        current: Attachment | None = attachment
        missing: OSError | None = None
        while current is not None:
            try:
                return self._read_from_area(current, size, offset)
            except FileNotFoundError as error:
                missing = missing or error
            except OSError as error:
                raise read_error(error) from error
            current = self._moved.get(current.uuid)
        raise OrthancError(self._vanished(attachment)) from missing

    def _read_from_area(self, attachment: Attachment, size: int | None, offset: int) -> bytes:
        name = file_name(attachment)
        if self._late is None:
            return self._area.read(name, size, offset)
        for _ in range(2):  # what was damaged on its way is whole the second time
            data = self._late.read(attachment.uuid, lambda: self._area.read(name, size, offset))
            if size is not None or offset or _has_md5(data, attachment.compressed_md5):
                return data
        raise OrthancError(ErrorCode.CORRUPTED_FILE, f"The file {attachment.uuid} is not the one that was stored")

    def _vanished(self, attachment: Attachment) -> int:
        return ErrorCode.INEXISTENT_FILE if self._is_stored(attachment.type) else ErrorCode.UNKNOWN_RESOURCE

    def _is_stored(self, type: int) -> bool:
        return self._options.store_dicom or type not in _OF_DICOM

    def _write(
        self, extension: str, data: bytes, syncing: list[Future[None]] | None
    ) -> tuple[str, Future[None] | None]:
        """Write a file under a new UUID; return this, and what writes it, if that goes on beside."""
        if syncing is not None and self._late is not None and len(data) <= _MOST_BESIDE:
            self.wait_for(syncing[-_WRITTEN_AT_ONCE : 1 - _WRITTEN_AT_ONCE])
            uuid = self._reserve(extension)
            writing = self._writers.submit(self._write_as, uuid + extension, data)
            syncing.append(writing)
            return uuid, writing
        return self._write_new(extension, data, syncing), None

    def _write_new(
        self, extension: str, data: bytes, syncing: list[Future[None]] | None = None, area: FileArea | None = None
    ) -> str:
        while True:
            uuid = self._reserve(extension)
            try:
                self._write_as(uuid + extension, data, syncing, area)
            except FileExistsError:  # a seeded sequence begins anew with each process
                continue
            return uuid

    def _reserve(self, extension: str) -> str:
        try:
            return self._journal.reserve(extension, self._identifiers)
        except OSError as error:
            raise disk_error(error) from error

    def _write_as(
        self, name: str, data: bytes, syncing: list[Future[None]] | None = None, area: FileArea | None = None
    ) -> None:
        """Write a file whose name is in the journal; it is given up should that fail."""
        start = self._now()
        sync = area is not None or self._options.sync_storage_area
        try:
            (area or self._area).write(name, data, sync=sync and syncing is None)
        except AreaError as error:
            self._give_up(name)
            raise disk_error(error) from error
        except FileExistsError:
            self._journal.settle([name])  # the file is another one's
            raise
        except OSError as error:
            self.discard([name])
            raise disk_error(error) from error
        if sync and syncing is not None:
            syncing.append(self._pool.submit(self._area.sync, name))
        self._metrics.record("orthanc_storage_create_duration_ms", self._milliseconds(start))
        self._metrics.record("orthanc_storage_written_bytes", len(data))
        self._removal.try_again()

    def _give_up(self, name: str) -> None:
        """Remove a file that may still appear: its name stays in the journal."""
        self._journal.give_up([name])
        with contextlib.suppress(OSError):
            self._area.remove(name)

    def _milliseconds(self, start: float) -> int:
        return int((self._now() - start) * 1000)

    def _write_and_hash(
        self, extension: str, data: bytes, on_disk: bytes, known: str, syncing: list[Future[None]] | None
    ) -> tuple[str, str, Future[None] | None]:
        if known:
            uuid, writing = self._write(extension, on_disk, syncing)
            return uuid, self._md5(data, known), writing
        hashing = self._pool.submit(self._md5, data)  # beside the write: both leave the interpreter free
        try:
            uuid, writing = self._write(extension, on_disk, syncing)
        finally:
            plain_md5 = hashing.result()
        return uuid, plain_md5, writing

    def _md5(self, data: bytes, known: str = "") -> str:
        if not self._options.store_md5:
            return ""
        return known or hashlib.md5(data, usedforsecurity=False).hexdigest()


def _cache_key(uuid: str, md5: str, *, raw: bool = False) -> str:
    """Return where a file is in the cache; its UUID alone may be that of another one, if it is of a seed."""
    return f"{uuid}/{md5}/{int(raw)}"


def _in_area(attachments: Iterable[Attachment]) -> list[str]:
    return [file_name(attachment) for attachment in attachments if not isinstance(attachment, SmallFile)]


def _written(files: Sequence[PreparedFile]) -> list[str]:
    return [file_name(file.attachment) for file in files if file.content is None]


def _is_in(area: FileArea, name: str) -> bool:
    """Tell whether a file is in this area."""
    try:
        area.read(name, 1)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise read_error(error) from error
    return True


def _has_md5(data: bytes, md5: str) -> bool:
    return not md5 or hashlib.md5(data, usedforsecurity=False).hexdigest() == md5
