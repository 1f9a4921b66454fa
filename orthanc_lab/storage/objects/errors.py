"""What object stores complain of, as errors of a file area."""

from __future__ import annotations

import re
from collections.abc import Collection

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from orthanc_lab.storage.files.area import AreaError

__all__ = ["area_error", "is_past_the_end", "words_of"]

_STATUS = re.compile(r"status code: (\d{3})")
_LATER = frozenset({408, 425, 429})
_PAST_THE_END = 416
_QUERY = re.compile(r"\?\S*")  # may hold a signature
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_LONGEST = 300


def area_error(error: BaseError, secrets: Collection[str] = ()) -> AreaError:
    """Return what a file area raises for an error of an object store.

    Parameters
    ----------
    secrets
        Words that the message must not contain.
    """
    return AreaError(words_of(error, secrets), is_away=_is_transient(error))


def is_past_the_end(error: BaseError) -> bool:
    """Tell whether a range was refused because it starts behind the end of the file."""
    return _status(error) == _PAST_THE_END or "StartTooLarge" in str(error)


def words_of(error: Exception, secrets: Collection[str] = ()) -> str:
    """Return the first line of a message, with the code that the server gave, and without anything secret."""
    text = str(error)
    first = _QUERY.sub("", text.partition("\n")[0])
    first = first.partition(": <")[0]  # the document of the server
    for secret in secrets:
        first = first.replace(secret, "…")
    code = _CODE.search(text)
    return f"{first[:_LONGEST]} ({code[1]})" if code else first[:_LONGEST]


def _is_transient(error: BaseError) -> bool:
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        return False
    status = _status(error)
    return status is None or status >= 500 or status in _LATER


def _status(error: BaseError) -> int | None:
    found = _STATUS.search(str(error))
    return int(found[1]) if found else None
