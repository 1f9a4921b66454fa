"""The arguments of a GET request, read with Orthanc's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

if TYPE_CHECKING:
    import falcon

__all__ = ["LARGEST_POSITION", "Page", "flag", "names_in", "page_of", "query_arguments", "unsigned"]

LARGEST_POSITION = 2**63 - 1
"""The largest position in a list that is distinguished: all larger ones are beyond its end."""


class Page(NamedTuple):
    """A part of a list."""

    since: int
    limit: int  # 0 = no limit


def query_arguments(req: falcon.Request) -> dict[str, str]:
    """Return the arguments after the question mark; one without ``=`` is the empty string.

    As in Orthanc 1.12.7 nothing is decoded: ``%3B`` stays what it is, and so does a plus sign. Of
    two arguments of one name the last counts.
    """
    query = req.query_string
    if not query:
        return {}
    arguments = {}
    for item in query.split("&"):
        name, _, value = item.partition("=")
        if name:
            arguments[name] = value
    return arguments


def flag(arguments: dict[str, str], name: str, default: bool = False) -> bool:
    """Return a boolean argument; present without a value it is true.

    Raises
    ------
    OrthancError
        3 ``Expected a Boolean for GET argument "expand", found: foo``.
    """
    value = arguments.get(name)
    if value is None:
        return default
    if value in ("", "1", "true"):
        return True
    if value in ("0", "false"):
        return False
    details = f'Expected a Boolean for GET argument "{name}", found: {value}'
    raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)


def names_in(text: str) -> list[str]:
    """Return the names between semicolons in Orthanc's order; one at the end is the end."""
    return sorted(text.removesuffix(";").split(";")) if text else []


def unsigned(text: str) -> int | None:
    """Return a number from 0 to 2⁶⁴-1 written in decimal digits, None for any other text."""
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 20):
        return None
    number = int(digits)
    return min(number, LARGEST_POSITION) if number < 2**64 else None


def page_of(arguments: dict[str, str], uri: str) -> Page | None:
    """Return the page that ``since`` and ``limit`` ask for, None if neither is there.

    Raises
    ------
    OrthancError
        8 if one of them is missing, 5 if one is not a number.
    """
    since, limit = arguments.get("since"), arguments.get("limit")
    if since is None and limit is None:
        return None
    if since is None or limit is None:
        missing = "since" if since is None else "limit"
        details = f'Missing "{missing}" argument for GET request against: {uri}'
        raise OrthancError(ErrorCode.BAD_REQUEST, details)
    return Page(_number(since), _number(limit))


def _number(text: str) -> int:
    number = unsigned(text)
    if number is None:
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE, "Syntax error in some user-supplied data")
    return number
