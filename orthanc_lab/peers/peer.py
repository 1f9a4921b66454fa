"""Another Orthanc server: how it is defined, and the forms in which it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Peer", "read_peer", "without_credentials"]

_INT32 = range(-(2**31), 2**31)
_FIELDS = {"Url", "URL", "Username", "Password", "HttpHeaders", "Timeout", "Pkcs11"}
_FIELDS |= {"CertificateFile", "CertificateKeyFile", "CertificateKeyPassword"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A remote Orthanc server, and how it is called."""

    url: str  # with a final slash
    username: str = ""
    password: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # sent with each request
    timeout: int = 0  # seconds; 0 = the option HttpTimeout
    pkcs11: bool = False
    certificate_file: str = ""  # client certificate, PEM
    certificate_key_file: str = ""
    certificate_key_password: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)  # any further fields

    def check_files(self) -> None:
        """Refuse a client certificate, or its key, that is not there.

        Raises
        ------
        OrthancError
            13 for a file that does not exist.
        """
        for what, path in (("certificate", self.certificate_file), ("key", self.certificate_key_file)):
            if path and not Path(path).is_file():
                raise OrthancError(ErrorCode.INEXISTENT_FILE, f"Cannot open {what} file: {path}")

    def definition(self) -> dict[str, Any]:
        """Return all of it, passwords too, as `read_peer` takes it."""
        document = self._document()
        document["HttpHeaders"] = dict(self.headers)
        if self.username:
            document["Password"] = self.password
        if self.certificate_file:
            document["CertificateKeyFile"] = self.certificate_key_file
            document["CertificateKeyPassword"] = self.certificate_key_password
        return document

    def configuration(self) -> dict[str, Any]:
        """Return what ``/peers/{name}/configuration`` shows: no secret, of the headers the names alone."""
        document = self._document()
        document["HttpHeaders"] = sorted(self.headers)
        if self.username:
            document["Password"] = None
        if self.certificate_file:
            document["CertificateKeyFile"] = document["CertificateKeyPassword"] = None
        return document

    def shown_in_job(self) -> list[str] | dict[str, Any]:
        """Return the field ``Peer`` of a job, without secrets: a list if URL and user say it all."""
        advanced = self.certificate_file or self.pkcs11 or self.headers or self.timeout or self.properties
        if not advanced:
            url = without_credentials(self.url)
            return [url, self.username, ""] if self.username else [url]
        document = self._document()
        document["Url"] = without_credentials(self.url)
        document["HttpHeaders"] = dict.fromkeys(self.headers, "")
        if self.certificate_key_file:
            document["CertificateKeyFile"] = self.certificate_key_file
        return document

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = dict(self.properties)
        document |= {"Url": self.url, "Timeout": self.timeout, "Pkcs11": self.pkcs11}
        if self.username:
            document["Username"] = self.username
        if self.certificate_file:
            document["CertificateFile"] = self.certificate_file
        return document


def without_credentials(url: str) -> str:
    """Return a URL without the user and the password that it may contain, for logs and messages."""
    scheme, separator, rest = url.rpartition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{separator}{place.rpartition('@')[2]}{slash}{path}"


def read_peer(definition: Any) -> Peer:
    """Read ``[Url]``, ``[Url, Username, Password]`` or an object.

    Raises
    ------
    OrthancError
        15 for anything else.
    """
    if isinstance(definition, list):
        if len(definition) not in (1, 3):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
        url, username, password = ([_text(item) for item in definition] + ["", ""])[:3]
        return Peer(_url(url), *_credentials(username, password))
    if not isinstance(definition, dict):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return _read_object(definition)


def _read_object(fields: dict[str, Any]) -> Peer:
    url = _url(_string(fields, "Url" if "Url" in fields else "URL"))
    username, password = _credentials(_string(fields, "Username"), _string(fields, "Password"))
    certificate = _string(fields, "CertificateFile")
    key = _string(fields, "CertificateKeyFile") if certificate else ""
    return Peer(
        url,
        username,
        password,
        headers=_headers(fields.get("HttpHeaders", {})),
        timeout=_timeout(fields.get("Timeout", 0)),
        pkcs11=_pkcs11(fields.get("Pkcs11", False)),
        certificate_file=certificate,
        certificate_key_file=key,
        certificate_key_password=_string(fields, "CertificateKeyPassword") if certificate else "",
        properties={name: _property(name, value) for name, value in sorted(fields.items()) if name not in _FIELDS},
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise OrthancError(ErrorCode.BAD_FILE_FORMAT)


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return value


def _url(text: str) -> str:
    if not text:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Empty URL")
    if "://" in text and not text.startswith(("http://", "https://")):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"Bad URL: {text}")
    return text if text.endswith("/") else f"{text}/"


def _credentials(username: str, password: str) -> tuple[str, str]:
    if password and not username:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return username, password


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return dict(value)


def _timeout(value: Any) -> int:
    if type(value) is not int:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Integer value expected in field: Timeout")
    if value not in _INT32:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    if value < 0:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Unsigned integer value expected in field: Timeout")
    return value


def _pkcs11(value: Any) -> bool:
    if not isinstance(value, bool):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return value


def _property(name: str, value: Any) -> str:
    if value is None or isinstance(value, (float, list, dict)) or (type(value) is int and value >= 2**63):
        text = f"User-defined properties associated with a Web service must be strings: {name}"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, text)
    if type(value) is int and value not in _INT32:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return str(int(value)) if isinstance(value, bool) else str(value)
