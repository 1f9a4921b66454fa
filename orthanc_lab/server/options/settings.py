"""The settings in force: the options that were given, checked, and the defaults of all others."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orthanc_lab.dicom.files import charsets
from orthanc_lab.dimse.directory import check_modalities
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.options.option import Option, check_title
from orthanc_lab.server.options.option_table import OPTIONS

__all__ = ["CheckedSettings"]

_REVISIONS_WITHOUT_MD5 = (
    'The revision system is enabled by configuration option "CheckRevisions", but won\'t work properly for attachments '
    'if "StoreMD5ForAttachments" is set to "false"'
)
_DEFAULT_USER = {"orthanc": "orthanc"}


class CheckedSettings:
    """Every option with its value.

    Parameters
    ----------
    values
        The options of a configuration file; unknown ones are ignored, as in Orthanc.
    folder
        Where relative paths start: the folder of the configuration file.

    Raises
    ------
    OrthancError
        3, 5 or 15 for a wrong type or value, 11 if the package for a database is not installed.
    """

    def __init__(self, values: Mapping[str, Any] | None = None, folder: Path | None = None) -> None:
        given = values or {}
        self.folder = Path.cwd() if folder is None else folder
        self.warnings: list[str] = []
        self._values = {name: self._checked(option, given) for name, option in OPTIONS.items()}
        if not self._values["DicomModalitiesInDatabase"]:
            with _naming("DicomModalities"):
                check_modalities(self._values["DicomModalities"])
        if self._values["DicomServerEnabled"]:
            with _naming("DicomAet"):
                check_title(self._values["DicomAet"])
        with _naming("DefaultEncoding"):
            self._values["DefaultEncoding"] = _encoding(self._values["DefaultEncoding"])
        if self._values["CheckRevisions"] and not self._values["StoreMD5ForAttachments"]:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, _REVISIONS_WITHOUT_MD5)
        self._warn_of_unused(given)
        self._read_users()
        self._secure(given)
        for name, option in OPTIONS.items():
            if option.is_path and self._values[name]:
                self._values[name] = str(self.folder / self._values[name])
        google = self._values["GoogleCloudStorage"]
        if google:
            account = str(self.folder / google["ServiceAccountFile"])
            self._values["GoogleCloudStorage"] = {**google, "ServiceAccountFile": account}
        if self._values["IndexDirectory"] is None:
            self._values["IndexDirectory"] = self._values["StorageDirectory"]

    def __getitem__(self, name: str) -> Any:
        """Return the value of an option.

        Raises
        ------
        KeyError
            For a name that is not in the table.
        """
        return self._values[name]

    def change(self, name: str, value: Any) -> None:
        """Change an option until the server starts again; the value has been checked."""
        self._values[name] = value

    def _checked(self, option: Option, given: Mapping[str, Any]) -> Any:
        if option.name in given:
            try:
                with _naming(option.name):
                    return option.checked(given[option.name])
            except OrthancError as error:
                is_read = option.needs and given.get(option.needs, OPTIONS[option.needs].default)
                if is_read or not (option.late or option.needs):
                    raise
                self.warnings.append(f"{error.text}: {error.details}: the default is used")
        return copy.deepcopy(option.default)

    def _warn_of_unused(self, given: Mapping[str, Any]) -> None:
        unused = [
            name
            for name, option in OPTIONS.items()
            if not option.honoured and name in given and self._values[name] != option.default
        ]
        self.warnings += [f'The configuration option "{name}" is known, but has no effect yet' for name in unused]

    def _read_users(self) -> None:
        """Turn numbers and Booleans into text, as Orthanc does; leave out who has no password."""
        users = {name: _password(name, value) for name, value in self._values["RegisteredUsers"].items()}
        self._values["RegisteredUsers"] = {name: password for name, password in users.items() if password}
        self.warnings += [
            f'The user "{name}" of RegisteredUsers has no password, so nobody can log in under this name'
            for name, password in users.items()
            if not password
        ]

    def _secure(self, given: Mapping[str, Any]) -> None:
        """Decide on authentication: on with remote access, with a default user if there is none."""
        remote = self._values["RemoteAccessAllowed"]
        if self._values["AuthenticationEnabled"] is None:
            self._values["AuthenticationEnabled"] = remote
            if remote:
                self.warnings.append("Remote access is allowed, so authentication is enabled")
        if not self._values["AuthenticationEnabled"]:
            if remote:
                self.warnings.append("Remote access is allowed without authentication: this server is INSECURE")
            return
        if not self._values["RegisteredUsers"]:
            if remote and not given.get("RegisteredUsers"):
                self._values["RegisteredUsers"] = dict(_DEFAULT_USER)
                self.warnings.append(
                    'RegisteredUsers is empty, so the user "orthanc" with the password "orthanc" can log in: '
                    "this server is INSECURE until RegisteredUsers is set"
                )
            else:
                self.warnings.append("Authentication is enabled but RegisteredUsers is empty: no one can log in")


@contextmanager
def _naming(option: str) -> Iterator[None]:
    """Note the option in errors of this block: Orthanc's words tell what is wrong, but not always where."""
    try:
        yield
    except OrthancError as error:
        if option not in error.details:
            error.add_note(f'This is about the configuration option "{option}".')
        raise


def _password(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, (str, int, float)):
        return "" if value is None else str(value)
    raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f'Badly formatted password of the user "{name}" in RegisteredUsers')


def _encoding(text: str) -> str:
    for name in charsets.names():
        if name.upper() == text.upper():
            return name
    raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f"Unknown character set: {text}")
