"""A server that a twin test starts, and may restart with the same data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

__all__ = ["Host", "Serve", "Served"]


class Served(Protocol):
    """A server that is running."""

    @property
    def url(self) -> str:
        """Its address."""
        ...

    def stop(self) -> object:
        """Stop it properly, with everything written to disk."""
        ...


Serve = Callable[..., AbstractContextManager[Served]]
"""Starts a server: options of the configuration file as keyword arguments, and ``folder`` to keep the data."""


class Host:
    """Starts and stops one server.

    Parameters
    ----------
    serve
        Starts the server.
    options
        Its configuration.
    folder
        Folder for its data; None if they need not survive it.
    """

    def __init__(self, serve: Serve, options: Mapping[str, Any], folder: Path | None = None) -> None:
        self._serve = serve
        self._arguments = {**options, "folder": folder} if folder else dict(options)
        self._stack = ExitStack()
        self._served: Served | None = None

    def __enter__(self) -> Host:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """The address of the server."""
        assert self._served is not None
        return self._served.url

    def start(self) -> None:
        """Start the server."""
        self._served = self._stack.enter_context(self._serve(**self._arguments))

    def restart(self, options: Mapping[str, Any]) -> None:
        """Stop the server and start it again with its data, and with these options besides; the URL changes."""
        assert self._served is not None
        self._served.stop()
        self._arguments |= options
        self.start()
