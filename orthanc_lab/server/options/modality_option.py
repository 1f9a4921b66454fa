"""The option ``DicomModalities``: its form, with Orthanc's errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["check_modalities", "retrieve_method"]

_NAME = re.compile(r"[A-Za-z0-9_-]*")
_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
_PORTS = range(1, 65535)
_UINT32 = range(2**32)
_MANUFACTURERS = {"Generic", "GenericNoWildcardInDates", "GenericNoUniversalWildcard", "Vitrea", "GE"}
_MANUFACTURERS |= {"AgfaImpax", "ClearCanvas", "Dcm4Chee", "EFilm2", "MedInria", "SyngoVia"}  # obsolete, accepted
_BOOLEANS = tuple(
    f"Allow{what}"
    for what in ("Echo", "Find", "FindWorklist", "Get", "Move", "NAction", "StorageCommitment", "Store", "Transcoding")
)


def check_modalities(modalities: Mapping[str, Any]) -> None:
    """Refuse what is no DICOM node: ``[AET, host, port]``, one with a manufacturer, or an object.

    Raises
    ------
    OrthancError
        15 for another form, 3 for an impossible port, manufacturer or method of retrieving.
    """
    for name, node in sorted(modalities.items()):
        if not _NAME.fullmatch(name):
            words = "Only alphanumeric, dash characters and underscores are allowed in the names of modalities/peers"
            raise _bad(f"{words}, but found: {name}")
        if isinstance(node, list):
            _check_list(node)
        elif isinstance(node, dict):
            _check_object(node)
        else:
            raise _bad()


def retrieve_method(name: str, value: Any) -> None:
    """Refuse a method of retrieving that is unknown."""
    if value not in ("C-MOVE", "C-GET", "SystemDefault"):
        raise _impossible(f'RetrieveMethod can be "C-MOVE", "C-GET" or "SystemDefault": {value}')


def _check_list(node: list[Any]) -> None:
    if len(node) not in (3, 4) or not all(isinstance(item, str) for item in [*node[:2], *node[3:]]):
        raise _bad()
    _check_port(node[2])
    if len(node) == 4:
        _check_manufacturer(node[3])


def _check_object(node: dict[str, Any]) -> None:
    for field in ("AET", "Host"):
        _check_text(node.get(field), field)
    _check_port(node.get("Port"))
    for field, check in (
        ("Manufacturer", _check_manufacturer),
        ("RetrieveMethod", lambda value: retrieve_method("", value)),
    ):
        if field in node:
            _check_text(node[field], field)
            check(node[field])
    for field in (*_BOOLEANS, "UseDicomTls"):
        if not isinstance(node.get(field, True), bool):
            raise _bad(f"Boolean value expected in field: {field}")
    _check_text(node.get("LocalAet", ""), "LocalAet")
    timeout = node.get("Timeout", 0)
    if type(timeout) is not int or timeout > _UINT32[-1]:
        raise _bad("Integer value expected in field: Timeout")
    if timeout < 0:
        raise _bad("Unsigned integer value expected in field: Timeout")


def _check_text(value: Any, field: str) -> None:
    if not isinstance(value, str):
        raise _bad(f"String value expected in field: {field}")


def _check_port(value: Any) -> None:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = int(value)
    if type(value) is not int:
        raise _bad()
    if value not in _PORTS:
        raise _impossible(f"A TCP port number must be in range [1..65534], but found: {value}")


def _check_manufacturer(value: str) -> None:
    if value not in _MANUFACTURERS:
        raise _impossible(f'Unknown modality manufacturer: "{value}"')


def _bad(details: str = "") -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, details)


def _impossible(details: str) -> OrthancError:
    return OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
