"""The forms of answers that are those of the plug-in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.json_text import dumps
from orthanc_lab.rest.http.answers import unknown_resource

if TYPE_CHECKING:
    import falcon

__all__ = ["answer_compact", "answer_indented", "check_id"]

_ID = re.compile(r"[.0-9a-f-]+", re.ASCII)


def answer_indented(resp: falcon.Response, value: Any) -> None:
    """Answer JSON that is indented by tabs and ends with a line break."""
    resp.content_type = "application/json"
    resp.data = (house_json.dumps(value, indent="\t") + "\n").encode("ascii")


def answer_compact(resp: falcon.Response, value: Any) -> None:
    """Answer JSON without blanks, in the order of `value`."""
    resp.content_type = "application/json"
    resp.data = dumps(value).encode()


def check_id(text: str) -> str:
    """Return what is in a path where identifiers are.

    Raises
    ------
    OrthancError
        17 for anything else.
    """
    if not _ID.fullmatch(text):
        raise unknown_resource()
    return text
