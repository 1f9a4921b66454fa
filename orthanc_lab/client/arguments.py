"""What callers pass: one or several, words of a choice, names in paths, fields by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from numbers import Real
from typing import Any
from urllib.parse import quote

from orthanc_lab.client.content import dicom_tags
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.nearest import nearest_name

__all__ = [
    "check_choice",
    "check_key",
    "check_seconds",
    "checked_fields",
    "credentials",
    "level_of",
    "segment",
    "several",
]

_LISTS = {"Keep": "names of tags", "Remove": "names of tags", "Instances": "instances or their identifiers"}


def several(given: Any, what: str) -> list[str]:
    """Return one text or resource, or each of several, as texts: a resource as its identifier.

    Raises
    ------
    TypeError
        If one of them is neither; `what` says in the plural what is expected.
    """
    is_one = isinstance(given, str) or hasattr(given, "id") or not isinstance(given, Iterable)
    found = [getattr(item, "id", item) for item in ([given] if is_one else given)]
    for item in found:
        if not isinstance(item, str):
            raise TypeError(f"Expected {what}, not {item!r}")
    return found


def check_seconds(name: str, value: object) -> None:
    """Check that a duration is a number.

    Raises
    ------
    TypeError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is a number of seconds, such as 60, not {value!r}")


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Check that a word is one of several.

    Raises
    ------
    ValueError
        If it is not, with the choices.
    """
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")


def level_of(level: Level | str) -> Level:
    """Return a level that may be named.

    Raises
    ------
    ValueError
        If there is no such level.
    """
    if isinstance(level, Level):
        return level
    try:
        return Level.parse(str(level))
    except OrthancError:
        names = ", ".join(repr(one.value) for one in LEVELS)
        raise ValueError(f"{level!r} is not a level; there are: {names}") from None


def check_key(key: object, collection: str) -> None:
    """Check that what stands in the brackets behind a collection is text.

    Raises
    ------
    TypeError
        If it is not: with how to take one by its position.
    """
    if not isinstance(key, str):
        raise TypeError(f"{collection}[…] takes an identifier, not {key!r}; by position: list({collection})[0]")


def credentials(auth: Any) -> Any:
    """Return what `requests` takes as credentials.

    Raises
    ------
    TypeError
        If it is not a user name and a password.
    """
    if auth is None or callable(auth):  # an object of requests that signs in some other way
        return auth
    if isinstance(auth, (tuple, list)) and len(auth) == 2 and all(isinstance(part, (str, bytes)) for part in auth):
        return tuple(auth)
    raise TypeError("auth is a user name and a password: auth=('user', 'password')")


def segment(name: str, what: str) -> str:
    """Return a name as one segment of a path.

    Raises
    ------
    TypeError
        If it is not text.
    ValueError
        If it is empty.
    """
    if not isinstance(name, str):
        raise TypeError(f"{what} is a text, not {name!r}")
    if not name:
        raise ValueError(f"{what} must not be empty")
    return quote(name, safe="")


def checked_fields(
    call: str, given: Mapping[str, Any], known: Collection[str], own: Collection[str] = ()
) -> dict[str, Any]:
    """Return fields of a body that Orthanc knows in this call: it would silently ignore others.

    A single tag becomes a list, and values of tags become what Orthanc reads.

    Parameters
    ----------
    call
        Name of the method that is given them.
    own
        Parameters of the method, which may have been meant.

    Raises
    ------
    TypeError
        For a field that is not known, with the one that it resembles.
    """
    for name in given:
        if name not in known:
            nearest = nearest_name(name, [*known, *own])
            hint = f"did you mean {nearest!r}?" if nearest else f"it takes {', '.join(sorted(known))}"
            raise TypeError(f"{call}() takes no {name!r}; {hint}")
    fields = dict(given)
    fields |= {name: several(fields[name], what) for name, what in _LISTS.items() if name in fields}
    if "Replace" in fields:
        fields["Replace"] = dicom_tags(fields["Replace"])
    return fields
