"""Orthanc, the DICOM server, in pure Python: for notebooks, teaching and test suites."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orthanc_lab.client.client import Client
    from orthanc_lab.client.errors import (
        CanceledError,
        ClientError,
        ConnectionLostError,
        DamagedDownloadError,
        JobFailedError,
        JobForgottenError,
        JobPausedError,
        JobRetryError,
        JobTimeoutError,
        NoClusterError,
        NoEventLogError,
        NotFoundError,
        NotOrthancError,
        ResponseError,
        UnauthorizedError,
        UnreachableError,
    )
    from orthanc_lab.client.upload_report import UploadInterruptedError
    from orthanc_lab.client.volumes.errors import VolumeError
    from orthanc_lab.protocol.errors import OrthancError
    from orthanc_lab.protocol.ports import ManualClock, SeededIdentifiers
    from orthanc_lab.protocol.seeded import seeded
    from orthanc_lab.server.embedding.child_server import ChildServer
    from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
    from orthanc_lab.server.embedding.in_process import InProcessServer
    from orthanc_lab.server.embedding.remote import RemoteServer, open_server
    from orthanc_lab.server.embedding.serve import in_process, serve

__all__ = [
    "CanceledError",
    "ChildServer",
    "Client",
    "ClientError",
    "ConnectionLostError",
    "DamagedDownloadError",
    "EmbeddedServer",
    "InProcessServer",
    "JobFailedError",
    "JobForgottenError",
    "JobPausedError",
    "JobRetryError",
    "JobTimeoutError",
    "ManualClock",
    "NoClusterError",
    "NoEventLogError",
    "NotFoundError",
    "NotOrthancError",
    "OrthancError",
    "RemoteServer",
    "ResponseError",
    "SeededIdentifiers",
    "UnauthorizedError",
    "UnreachableError",
    "UploadInterruptedError",
    "VolumeError",
    "in_process",
    "open_server",
    "seeded",
    "serve",
]

__version__: str

# Loaded on first access, so that importing the package costs next to nothing.
_HOMES = {
    "CanceledError": "client.errors",
    "ChildServer": "server.embedding.child_server",
    "Client": "client.client",
    "ClientError": "client.errors",
    "ConnectionLostError": "client.errors",
    "DamagedDownloadError": "client.errors",
    "EmbeddedServer": "server.embedding.embedded_server",
    "InProcessServer": "server.embedding.in_process",
    "JobFailedError": "client.errors",
    "JobForgottenError": "client.errors",
    "JobPausedError": "client.errors",
    "JobRetryError": "client.errors",
    "JobTimeoutError": "client.errors",
    "ManualClock": "protocol.ports",
    "NoClusterError": "client.errors",
    "NoEventLogError": "client.errors",
    "NotFoundError": "client.errors",
    "NotOrthancError": "client.errors",
    "OrthancError": "protocol.errors",
    "RemoteServer": "server.embedding.remote",
    "ResponseError": "client.errors",
    "SeededIdentifiers": "protocol.ports",
    "UnauthorizedError": "client.errors",
    "UnreachableError": "client.errors",
    "UploadInterruptedError": "client.upload_report",
    "VolumeError": "client.volumes.errors",
    "in_process": "server.embedding.serve",
    "open_server": "server.embedding.remote",
    "seeded": "protocol.seeded",
    "serve": "server.embedding.serve",
}


_MODULES = ("client", "extensions", "frames", "samples", "testing", "widgets")
"""Parts of the package that need no import of their own: ``orthanc_lab.samples``."""


def load_ipython_extension(shell: Any) -> None:
    """Load the magic ``%%twin``: ``%load_ext orthanc_lab``."""
    shell.register_magics(importlib.import_module(f"{__name__}.testing.twins.magic").TwinMagics)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "__version__":
        return importlib.import_module(f"{__name__}.protocol.version").VERSION
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])
