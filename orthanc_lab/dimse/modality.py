"""Another DICOM node: how it is defined, and the form in which it is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["ALLOWED", "FIELDS", "Modality", "check_port", "check_retrieve_method", "read_modality"]

_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
_PORTS = range(1, 65535)
_INT32 = range(-(2**31), 2**31)
_MANUFACTURERS = ("Generic", "GenericNoWildcardInDates", "GenericNoUniversalWildcard", "Vitrea", "GE")
_OBSOLETE = {  # what they are taken for
    "AgfaImpax": "GenericNoWildcardInDates",
    "ClearCanvas": "Generic",
    "Dcm4Chee": "Generic",
    "EFilm2": "Generic",
    "MedInria": "Generic",
    "SyngoVia": "GenericNoWildcardInDates",
}
_RETRIEVE_METHODS = ("C-MOVE", "C-GET", "SystemDefault")
_STORAGE_COMMITMENT = "AllowStorageCommitment"
ALLOWED = {
    "AllowEcho": "allow_echo",
    "AllowEventReport": "allow_event_report",
    "AllowFind": "allow_find",
    "AllowFindWorklist": "allow_find_worklist",
    "AllowGet": "allow_get",
    "AllowMove": "allow_move",
    "AllowNAction": "allow_n_action",
    "AllowStore": "allow_store",
    "AllowTranscoding": "allow_transcoding",
}
"""The permissions of a node, by the field of its definition."""

FIELDS = (
    "AET",
    "Host",
    "Port",
    "Manufacturer",
    "LocalAet",
    "RetrieveMethod",
    "Timeout",
    "UseDicomTls",
    *ALLOWED,
    _STORAGE_COMMITMENT,
)
"""The fields of a definition that is an object."""


@dataclass(frozen=True, slots=True)
class Modality:
    """A DICOM node, and what it may do."""

    aet: str  # title of its application entity
    host: str
    port: int
    manufacturer: str = "Generic"
    allow_echo: bool = True
    allow_event_report: bool = True
    allow_find: bool = True
    allow_find_worklist: bool = True
    allow_get: bool = True
    allow_move: bool = True
    allow_n_action: bool = True
    allow_store: bool = True
    allow_transcoding: bool = True  # of what is sent to it
    use_tls: bool = False
    local_aet: str = ""  # our title in associations with it; "" = the option DicomAet
    timeout: int = 0  # seconds; 0 = the option DicomScuTimeout
    retrieve_method: str = "SystemDefault"  # or C-MOVE, C-GET

    def configuration(self) -> dict[str, Any]:
        """Return what ``/modalities/{name}/configuration`` shows; `read_modality` takes it."""
        allowed = {field: getattr(self, attribute) for field, attribute in ALLOWED.items()}
        return allowed | {
            "AET": self.aet,
            "Host": self.host,
            "LocalAet": self.local_aet,
            "Manufacturer": self.manufacturer,
            "Port": self.port,
            "RetrieveMethod": self.retrieve_method,
            "Timeout": self.timeout,
            "UseDicomTls": self.use_tls,
        }


def check_port(value: int) -> None:
    """Refuse an impossible port.

    Raises
    ------
    OrthancError
        3.
    """
    if value not in _PORTS:
        raise _impossible(f"A TCP port number must be in range [1..65534], but found: {value}")


def check_retrieve_method(value: str) -> None:
    """Refuse a method of retrieving that is unknown.

    Raises
    ------
    OrthancError
        3.
    """
    if value not in _RETRIEVE_METHODS:
        raise _impossible(f'RetrieveMethod can be "C-MOVE", "C-GET" or "SystemDefault": {value}')


def read_modality(definition: Any) -> Modality:
    """Read ``[AET, host, port]``, one with a manufacturer, or an object.

    Raises
    ------
    OrthancError
        15 for another form, 3 for an impossible port, manufacturer or method of retrieving.
    """
    if isinstance(definition, list):
        return _read_list(definition)
    if isinstance(definition, dict):
        return _read_object(definition)
    raise _bad()


def _read_list(items: list[Any]) -> Modality:
    if len(items) not in (3, 4) or not all(isinstance(item, str) for item in [*items[:2], *items[3:]]):
        raise _bad()
    port = _port(items[2])
    return Modality(items[0], items[1], port, manufacturer=_manufacturer(items[3] if len(items) == 4 else "Generic"))


def _read_object(fields: Mapping[str, Any]) -> Modality:
    aet, host = _text(fields, "AET"), _text(fields, "Host")
    port = _port(fields.get("Port"))
    manufacturer = _manufacturer(_text(fields, "Manufacturer", "Generic"))
    retrieve_method = _text(fields, "RetrieveMethod", "SystemDefault")
    check_retrieve_method(retrieve_method)
    commitment = _flag(fields, _STORAGE_COMMITMENT, True)
    allowed = {attribute: _flag(fields, field, True) for field, attribute in ALLOWED.items()}
    if _STORAGE_COMMITMENT in fields:
        allowed |= {"allow_n_action": commitment, "allow_event_report": commitment}
    return Modality(
        aet,
        host,
        port,
        manufacturer=manufacturer,
        **allowed,
        use_tls=_flag(fields, "UseDicomTls", False),
        local_aet=_text(fields, "LocalAet", ""),
        timeout=_timeout(fields.get("Timeout", 0)),
        retrieve_method=retrieve_method,
    )


def _text(fields: Mapping[str, Any], field: str, default: str | None = None) -> str:
    value = fields.get(field, default)
    if not isinstance(value, str):
        raise _bad(f"String value expected in field: {field}")
    return value


def _flag(fields: Mapping[str, Any], field: str, default: bool) -> bool:
    value = fields.get(field, default)
    if not isinstance(value, bool):
        raise _bad(f"Boolean value expected in field: {field}")
    return value


def _port(value: Any) -> int:
    if isinstance(value, str) and _NUMBER.fullmatch(value) and int(value) in _INT32:
        value = int(value)
    elif type(value) is int:
        lenient_json.require_int32(value)
    else:
        raise _bad()
    check_port(value)
    return int(value)


def _manufacturer(value: str) -> str:
    if value in _MANUFACTURERS:
        return value
    if value in _OBSOLETE:
        return _OBSOLETE[value]
    raise _impossible(f'Unknown modality manufacturer: "{value}"')


def _timeout(value: Any) -> int:
    if type(value) is not int:
        raise _bad("Integer value expected in field: Timeout")
    lenient_json.require_int32(value)
    if value < 0:
        raise _bad("Unsigned integer value expected in field: Timeout")
    return value


def _bad(details: str = "") -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, details)


def _impossible(details: str) -> OrthancError:
    return OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
