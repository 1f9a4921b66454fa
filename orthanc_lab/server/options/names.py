"""Names that are no option of the table: misspelt ones, and those of plug-ins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orthanc_lab.server.options.option_table import OPTIONS

__all__ = ["check_names", "unknown_options"]


def unknown_options(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Iterate over the names that are no options, each with the option it resembles, "" for none.

    Examples
    --------
    >>> list(unknown_options(["HttpPrt", "StableAge", "DicomWeb"]))
    [('HttpPrt', 'HttpPort'), ('DicomWeb', '')]
    """
    for name in names:
        if name not in OPTIONS:
            yield name, _nearest(name)


def _nearest(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - rarely needed

    options = {option.lower(): option for option in OPTIONS}
    found = get_close_matches(str(name).lower()[:_LONGEST], options, n=1, cutoff=0.8)
    return options[found[0]] if found else ""


_LONGEST = 100  # letters that are compared: the time is that of their product


def check_names(options: Mapping[str, Any]) -> None:
    """Check that all names are options. An object of another name is the section of a plug-in, which is left alone.

    Raises
    ------
    TypeError
        For the first that is not, with the option it resembles.

    Examples
    --------
    >>> check_names({"DicomWeb": {"Enable": True}, "StableAg": 1})
    Traceback (most recent call last):
    TypeError: There is no option 'StableAg'; did you mean 'StableAge'?
    """
    for name, nearest in unknown_options(options):
        if nearest:
            raise TypeError(f"There is no option {name!r}; did you mean {nearest!r}?")
        if not isinstance(options[name], Mapping):
            raise TypeError(f"There is no option {name!r}")
