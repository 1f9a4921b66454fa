"""Finding and cutting one connection of the server, which Granian offers no way to do (Linux only).

A request does not know its socket. But the kernel counts the bytes of each connection: the one whose counter
grew by what was just sent is the one.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["cut_all", "cut_where_sent", "written"]

_POLL_S = 0.005
_SIOCOUTQ = 0x5411
_ESTABLISHED, _CLOSE_WAIT = 1, 8
# Offsets in struct tcp_info (linux/tcp.h); all are there since Linux 4.2.
_LAST_DATA_RECEIVED, _BYTES_ACKED = 52, 120


class Connection(NamedTuple):
    """One connection of the server at one moment."""

    descriptor: int
    written: int  # bytes that the server gave to the kernel
    silent: float  # seconds since the last byte of the client


def written(port: int) -> dict[int, int]:
    """Return how many bytes went out on each connection of the server on `port`."""
    return {item.descriptor: item.written for item in _connections(port)}


def cut_where_sent(
    port: int, before: Mapping[int, int], expected: range, *, silent: float = 0, seconds: float = 0.1
) -> bool:
    """Cut the connection on which as many bytes went out as `expected` since `before`.

    Parameters
    ----------
    port
        Port of the server.
    before
        What `written` returned.
    silent
        Only a connection whose client sent nothing for so many seconds.
    seconds
        How long to wait for the bytes.

    Returns
    -------
    bool
        False if no connection was cut: none fitted, or more than one.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = [
            item
            for item in _connections(port)
            if item.silent >= silent and item.written - before.get(item.descriptor, item.written) in expected
        ]
        if len(found) == 1:
            return _cut(found[0].descriptor)
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)


def cut_all(port: int) -> None:
    """Cut all connections of the server on `port`."""
    for item in _connections(port):
        _cut(item.descriptor)


def _connections(port: int) -> Iterator[Connection]:
    if sys.platform != "linux":
        return
    for entry in Path("/proc/self/fd").iterdir():
        try:
            descriptor = int(entry.name)
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as connection:
                if connection.getsockname()[1] != port:
                    continue
                info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
                queued = struct.unpack("i", fcntl.ioctl(connection, _SIOCOUTQ, bytes(4)))[0]
        except (OSError, IndexError, TypeError):
            continue  # closed meanwhile, or another kind of socket
        if info[0] in (_ESTABLISHED, _CLOSE_WAIT):
            acked = struct.unpack_from("Q", info, _BYTES_ACKED)[0]
            yield Connection(descriptor, acked + queued, struct.unpack_from("I", info, _LAST_DATA_RECEIVED)[0] / 1000)


def _cut(descriptor: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return False  # it closed by itself
    return True
