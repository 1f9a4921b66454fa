"""The lab's server: by default with sample data, in a temporary folder."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from orthanc_lab import samples
from orthanc_lab.client.client import Client
from orthanc_lab.lab.credentials import USER
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.embedding.own_folder import OwnFolder
from orthanc_lab.server.embedding.restartable import dicom_on_a_free_port
from orthanc_lab.server.embedding.sessions import session_of
from orthanc_lab.server.lifecycle import Server
from orthanc_lab.server.log_lines import log_errors_only
from orthanc_lab.server.loopback import url_of
from orthanc_lab.server.options.configuration_files import read_configuration
from orthanc_lab.server.options.names import warnings_of_names
from orthanc_lab.server.options.settings import CheckedSettings

__all__ = ["DEFAULT_PORT", "OwnServer", "ServerChoice"]

_log = logging.getLogger("orthanc_lab")

DEFAULT_PORT = 8042


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """The options for the server.

    Attributes
    ----------
    configuration
        A file or folder, as for ``orthanc-lab serve``.
    storage
        Folder for the files; None for the one in the configuration, or else a temporary one.
    port
        None for the port in the configuration, or else 8042, or any free port if that is in use.
    with_samples
        Whether to upload the sample studies to an empty server.
    password
        Of the user ``lab``; None for a random one. A configuration has users of its own.
    """

    configuration: Path | None = None
    storage: Path | None = None
    port: int | None = None
    with_samples: bool = True
    password: str | None = field(default=None, repr=False)


class OwnServer:
    """A server in a thread of this program.

    Other users of the machine reach the loopback interface too, so without a configuration it asks for a password.

    Raises
    ------
    OrthancError
        If the configuration is invalid, or the folder or port is in use.
    """

    def __init__(self, choice: ServerChoice) -> None:
        log_errors_only()
        self._choice = choice
        self._password = choice.password or secrets.token_urlsafe(16)
        is_kept = choice.storage is not None or choice.configuration is not None
        self._temporary = None if is_kept else OwnFolder(None)
        self._thread: threading.Thread | None = None
        try:
            self._server = self._started()
        except BaseException:
            self._remove()
            raise
        self.session: requests.Session = session_of(self._settings_in_force)

    def _started(self) -> Server:
        port = self._choice.port
        if port is not None or self._choice.configuration is not None:
            return _start(self._settings, port)
        try:
            return _start(self._settings, DEFAULT_PORT)
        except OrthancError as error:
            if error.code != ErrorCode.HTTP_PORT_IN_USE:
                raise
            return _start(self._settings, 0)

    def _settings(self) -> CheckedSettings:
        configuration = read_configuration(self._choice.configuration)
        for warning in warnings_of_names(configuration.values):
            _log.warning("%s", warning)
        values: dict[str, Any] = {"Name": "orthanc-lab", **configuration.values}
        if self._choice.configuration is None:
            values["Dictionary"] = samples.dictionary()
            values |= {"AuthenticationEnabled": True, "RegisteredUsers": {USER: self._password}}
            values |= dicom_on_a_free_port({})  # and for this machine alone: DICOM has no password
        folder = self._temporary.path if self._temporary else self._choice.storage
        if folder is not None:
            values["StorageDirectory"] = values["IndexDirectory"] = str(Path(folder).absolute())
        return CheckedSettings(values, configuration.folder)

    @property
    def _settings_in_force(self) -> CheckedSettings:
        assert self._server.settings is not None
        return self._server.settings

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._server.port

    @property
    def url(self) -> str:
        """The address of the server, without credentials."""
        return url_of(self._settings_in_force, self.port)

    @property
    def full_url(self) -> str:
        """The address of the server, with the credentials of its first user if it requires authentication."""
        if not isinstance(self.session.auth, tuple):
            return self.url
        user, password = (quote(str(word), safe="") for word in self.session.auth)
        return self.url.replace("://", f"://{user}:{password}@", 1)

    @property
    def shown_url(self) -> str:
        """The address to show to the user: with the password if it was made here, since nobody else knows it."""
        return self.full_url if self._choice.configuration is None else self.url

    @property
    def storage(self) -> Path:
        """The folder of the files."""
        return Path(self._settings_in_force["StorageDirectory"])

    @property
    def is_temporary(self) -> bool:
        """Whether the files are removed at the end."""
        return self._temporary is not None

    def fill(self) -> int:
        """Upload the sample studies if requested and the server is empty; returns the number of instances."""
        client = Client.from_server(self)
        if self._choice.with_samples and not client.statistics["CountInstances"]:
            client.upload(samples.dicom_files(), progress=False)
        return int(client.statistics["CountInstances"])

    def serve(self, ended: Callable[[str], None]) -> None:
        """Serve in the background until a client or `stop` ends it; `ended` is then called with the reason."""

        def run() -> None:
            try:
                self._server.run()
            except OrthancError as error:  # a reset that failed
                ended(f"{error.text}: {error.details}")
            except Exception as error:
                ended(f"{type(error).__name__}: {error}")
            else:
                ended("")

        thread = threading.Thread(target=run, name="orthanc-lab-server", daemon=True)
        thread.start()
        self._thread = thread

    def stop(self) -> None:
        """Finish the requests in progress and stop; temporary files are removed."""
        if self._thread is None:
            self._server.stop()
        else:
            self._server.shutdown()
            self._thread.join()
        self.session.close()
        self._remove()

    def _remove(self) -> None:
        if self._temporary is not None:
            self._temporary.remove()


def _start(load: Callable[[], CheckedSettings], port: int | None) -> Server:
    server = Server(load, port=port)
    server.start()
    return server
