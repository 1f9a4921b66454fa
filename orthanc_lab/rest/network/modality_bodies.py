"""What the bodies of calls to ``/modalities/{name}`` have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orthanc_lab.dimse.modality import Modality, check_port
from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["called_modality", "text_field", "timeout_field"]


def timeout_field(fields: dict[str, Any]) -> int | None:
    """Return the seconds of ``Timeout``, None without it.

    Raises
    ------
    OrthancError
        15 for anything but a number of seconds.
    """
    if "Timeout" not in fields:
        return None
    value = fields["Timeout"]
    if type(value) is not int:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Integer value expected in field: Timeout")
    lenient_json.require_int32(value)
    if value < 0:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Unsigned integer value expected in field: Timeout")
    return value


def text_field(fields: dict[str, Any], name: str, default: str) -> str:
    """Return a text of a body; one that is absent has the default.

    Raises
    ------
    OrthancError
        5 for another type.
    """
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
    return value


def called_modality(modality: Modality, fields: dict[str, Any]) -> Modality:
    """Return a node as a body calls it, with ``CalledAet``, ``Host`` and ``Port``.

    Raises
    ------
    OrthancError
        5 for another type, 3 for an impossible port.
    """
    aet = text_field(fields, "CalledAet", modality.aet)
    host = text_field(fields, "Host", modality.host)
    port = fields.get("Port", modality.port)
    if not lenient_json.is_integer(port):
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
    lenient_json.require_int32(port)
    if port < 0:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
    check_port(port)
    return replace(modality, aet=aet, host=host, port=port)
