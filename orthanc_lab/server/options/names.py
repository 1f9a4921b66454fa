"""Names that are no option of the table: misspelt ones, and those of plug-ins."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from orthanc_lab.protocol.nearest import nearest_name
from orthanc_lab.server.options.option_table import OPTIONS

__all__ = ["check_names", "unknown_options", "warnings_of_names"]


def unknown_options(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Iterate over the names that are no options, each with the option it resembles, "" for none.

    Those inside a section have its name before them.

    Examples
    --------
    >>> list(unknown_options({"HttpPrt": 80, "StableAge": 1, "DicomWeb": {}, "Cluster": {"LeaseDuraton": 1}}))
    [('HttpPrt', 'HttpPort'), ('DicomWeb', ''), ('Cluster.LeaseDuraton', 'Cluster.LeaseDuration')]
    """
    yield from _unknown("", options, OPTIONS)
    for name, value in options.items():
        option = OPTIONS.get(name)
        if option is None or not isinstance(value, Mapping):
            continue
        if option.names:
            yield from _unknown(f"{name}.", value, option.names)
        for own_name, entry in value.items() if option.names_of_each else ():
            if isinstance(entry, Mapping):
                yield from _unknown(f"{name}.{own_name}.", entry, option.names_of_each)


def _unknown(before: str, options: Mapping[str, Any], known: Collection[str]) -> Iterator[tuple[str, str]]:
    for name in options:
        if name not in known:
            nearest = nearest_name(name, known)
            yield f"{before}{name}" if before else name, f"{before}{nearest}" if nearest else ""


def warnings_of_names(options: Mapping[str, Any]) -> list[str]:
    """Return what to say of names that are no options.

    Examples
    --------
    >>> warnings_of_names({"PostgreSQL": {"EnableIndx": True}})
    ['The configuration option "PostgreSQL.EnableIndx" is unknown, and has no effect; did you mean \
"PostgreSQL.EnableIndex"?']
    """
    return [
        f'The configuration option "{name}" is unknown, and has no effect'
        + (f'; did you mean "{nearest}"?' if nearest else "")
        for name, nearest in unknown_options(options)
    ]


def check_names(options: Mapping[str, Any]) -> None:
    """Check that all names are options.

    An object of another name is the section of a plug-in, which is left alone. So is a name in a section of Orthanc's
    that resembles none: the plug-in has more options than this server.

    Raises
    ------
    TypeError
        For the first that is not, with the option it resembles, and for what is no dictionary.

    Examples
    --------
    >>> check_names({"DicomWeb": {"Enable": True}, "StableAg": 1})
    Traceback (most recent call last):
    TypeError: There is no option 'StableAg'; did you mean 'StableAge'?
    """
    if not isinstance(options, Mapping):
        raise TypeError(f"Expected a dictionary of options and their values, not {options!r}")
    for name, nearest in unknown_options(options):
        if nearest:
            raise TypeError(f"There is no option {name!r}; did you mean {nearest!r}?")
        if name in options and not isinstance(options[name], Mapping):
            like = ", ".join(option for option in OPTIONS if str(name).lower() in _words(option))
            raise TypeError(f"There is no option {name!r}" + (f"; options with this word are: {like}" if like else ""))


def _words(option: str) -> list[str]:
    return [word.lower() for word in re.findall("[A-Z][a-z]+", option)]
