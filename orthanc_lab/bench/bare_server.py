"""``python -m orthanc_lab.bench.bare_server CONFIG``: a server that does only what no server in Python can spare.

It receives, decodes, hashes, compresses, writes one file or one record, waits for the disk, and answers with a fixed
text. It has no index, no tags and no jobs, and checks nothing. As ``--ours`` of ``orthanc-lab bench`` it shows which
goals can be reached at all: of uploads, pictures, archives, modifications, and submissions of jobs.

With ``SQLITE=1`` in the environment a record is a transaction of SQLite, and a job two of them.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import itertools
import json
import os
import socket
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orthanc_lab.dicom.files.data_uri import decode
from orthanc_lab.dicom.images.read_jpeg import read_jpeg
from orthanc_lab.dicom.images.read_png import read_png
from orthanc_lab.protocol.deflate import deflate_raw, inflate_raw
from orthanc_lab.protocol.json_text import loads

__all__ = ["BareServer", "main"]

_SMALL = 32 * 1024  # bytes up to which a file is a record
_BUFFER = 64 * 1024  # bytes read ahead
_LOG = 4 << 20  # bytes of the records, which are written over and over
_LOCAL_HEADER = 30  # bytes before the name of a member of a ZIP
_DONE = b'{"ID":"1","Status":"Success","State":"Success"}'
_ANSWERS = {"/studies": b'["1"]'}
_DECODERS = {"image/png": lambda data: read_png(data).pixels, "image/jpeg": lambda data: read_jpeg(data).pixels}


class BareServer:
    """What it does with requests.

    Parameters
    ----------
    folder
        For its files; it is made.
    sqlite
        Whether a record is a transaction of SQLite.
    """

    def __init__(self, folder: Path, *, sqlite: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._numbers = itertools.count()
        self._workers = ThreadPoolExecutor(os.cpu_count())
        self._hashers = ThreadPoolExecutor(os.cpu_count())
        self._files: list[Path] = []
        self._archive: list[bytes] = []
        self._record = _sqlite(folder) if sqlite else _log(folder)

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        """Return the body of an answer, once the disk has what came."""
        route = path.rsplit("/", 1)[1]
        if method == "GET":
            if route != "archive":
                return _ANSWERS.get(path, _DONE)
            return b"".join(self._archive if path.startswith("/jobs/") else self._packed())
        match route:
            case "instances" if body.startswith(b"PK"):
                list(self._workers.map(self._keep, *zip(*_members(body), strict=True)))
            case "instances":
                self._keep(body)
            case "create-dicom":
                mime, content = decode(loads(body.decode())["Content"])
                self._keep(_DECODERS[mime](content) if mime in _DECODERS else content)
            case "modify" | "anonymize":
                list(self._workers.map(self._copy, self._files[:]))
            case "archive" | "media" if self._files:
                self._archive = self._packed()
            case _:  # a job is written down when it is submitted, and when it has ended
                self._record(body)
                self._record(body)
        return _DONE

    def _packed(self) -> list[bytes]:
        return list(self._workers.map(lambda file: deflate_raw(file.read_bytes()), self._files))

    def _keep(self, packed: bytes | memoryview, size: int | None = None) -> None:
        content = bytes(packed) if size is None else inflate_raw(packed, size)
        if len(content) <= _SMALL:
            self._record(content)
        else:
            self._files.append(self._write(content))

    def _copy(self, file: Path) -> None:
        self._write(file.read_bytes())

    def _write(self, content: bytes) -> Path:
        hashing = self._hashers.submit(hashlib.md5, content)
        file = self._folder / str(next(self._numbers))
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, content)
        os.fsync(descriptor)
        os.close(descriptor)
        hashing.result().hexdigest()
        return file


def _members(body: bytes) -> Iterator[tuple[memoryview, int]]:
    """Yield the data of the members of a ZIP archive, and their sizes."""
    for member in zipfile.ZipFile(io.BytesIO(body)).infolist():
        start = member.header_offset + _LOCAL_HEADER + len(member.filename.encode())
        yield memoryview(body)[start : start + member.compress_size], member.file_size


def _log(folder: Path) -> Callable[[bytes], None]:
    """Return what writes a record into a file that has its size already, and waits for the disk."""
    descriptor = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    os.pwrite(descriptor, bytes(_LOG), 0)
    places = itertools.cycle(range(0, _LOG, _SMALL))

    def write(record: bytes) -> None:
        os.pwrite(descriptor, record, next(places))
        os.fdatasync(descriptor)

    return write


def _sqlite(folder: Path) -> Callable[[bytes], None]:
    """Return what writes a record as a transaction, and waits for the disk."""
    database = sqlite3.connect(folder / "records.db", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE records (key INTEGER PRIMARY KEY, content BLOB)")
    lock = threading.Lock()

    def write(record: bytes) -> None:
        with lock:
            database.execute("INSERT INTO records (content) VALUES (?)", (record,))

    return write


def _serve(client: socket.socket, server: BareServer) -> None:
    """Answer the requests of a client that makes no mistakes."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = client.makefile("rb", buffering=_BUFFER)
    while line := stream.readline():
        method, path, _ = line.decode().split(" ")
        size = 0
        while (field := stream.readline()) != b"\r\n":
            if field.startswith(b"Content-Length:"):
                size = int(field[15:])
        body = server.answer(method, path, stream.read(size))
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m orthanc_lab.bench.bare_server", description=__doc__)
    parser.add_argument("configuration", type=Path, help="a configuration file, as bench writes it")
    file = parser.parse_args().configuration
    try:
        options = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        parser.error(f"{file} cannot be read: {error}")
    server = BareServer(Path(options["StorageDirectory"]), sqlite=os.environ.get("SQLITE") == "1")
    # The protocol is named, else the system waits to join small answers.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", options["HttpPort"]))
    listener.listen()
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_serve, args=(client, server), daemon=True).start()


if __name__ == "__main__":
    main()
