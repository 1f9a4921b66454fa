"""Servers on one database, each in a process of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from orthanc_lab.server.embedding.serve import serve

if TYPE_CHECKING:
    from orthanc_lab.server.embedding.child_server import ChildServer

__all__ = ["OrthancCluster"]


class OrthancCluster:
    """Several servers that share what their options name: a database, and a folder or a bucket.

    Parameters
    ----------
    count
        How many servers.
    options
        Of all of them; without a ``StorageDirectory`` they share a folder here.
    folder
        Where each has a folder of its own, with its log.
    own
        Further options of each server.

    Attributes
    ----------
    servers
        The processes, as `orthanc_lab.serve` returns them with ``process=True``.
    """

    def __init__(
        self, count: int, options: Mapping[str, Any], folder: Path, own: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.folder = folder
        self.servers: list[ChildServer] = []
        self._frozen: set[int] = set()
        shared = {"StorageDirectory": str(folder / "files"), **options}

        def start(number: int) -> ChildServer:
            home = folder / f"server-{number}"
            named = {
                "Name": f"server-{number}",
                "DatabaseServerIdentifier": f"server-{number}",
                "IndexDirectory": str(home),
            }
            further = own[number] if own else {}
            return serve({**named, **shared, **further}, folder=home, process=True)

        with ThreadPoolExecutor(count) as pool:
            starting = [pool.submit(start, number) for number in range(count)]
        try:
            self.servers = [one.result() for one in starting]
        except BaseException:
            self.servers = [one.result() for one in starting if one.exception() is None]
            self.stop()
            raise

    def __repr__(self) -> str:
        return f"<OrthancCluster: {', '.join(map(repr, self.servers))}>"

    def __enter__(self) -> OrthancCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def urls(self) -> list[str]:
        """Where the servers are; this stays when they are started again."""
        return [server.url for server in self.servers]

    def kill(self, number: int) -> None:
        """End a server like ``kill -9``."""
        self._frozen.discard(number)
        self.servers[number].kill()

    def freeze(self, number: int) -> None:
        """Let a server do nothing until `thaw`, as when its machine stalls: it notices nothing (SIGSTOP)."""
        self._frozen.add(number)
        os.kill(self.servers[number].pid, signal.SIGSTOP)

    def thaw(self, number: int) -> None:
        """Let a frozen server go on, as if nothing had been; nothing happens to another one."""
        if number in self._frozen:
            self._frozen.discard(number)
            os.kill(self.servers[number].pid, signal.SIGCONT)

    def halt(self, number: int) -> None:
        """Let a server finish what is in progress and end, as SIGTERM does."""
        self.thaw(number)
        self.servers[number].halt()

    def restart(self, number: int) -> None:
        """Start a server that was killed, at the same address; one that runs is stopped first."""
        self.thaw(number)
        self.servers[number].restart()

    def stop(self) -> None:
        """Stop all servers."""
        for number in tuple(self._frozen):
            self.thaw(number)
        for server in self.servers:
            server.stop()
