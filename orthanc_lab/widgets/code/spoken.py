"""An object that stands for another one, and says in Python what is done with it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path, PurePath
from typing import Any, TypeVar, cast

__all__ = ["Named", "Spoken", "in_folder", "named", "read", "with_names"]

Value = TypeVar("Value")
_UNSAID = ("progress",)  # how the panel itself follows a call


class Named:
    """A value that has another form in the code than its `repr`: the content of a file, say.

    Examples
    --------
    >>> Named(b"%PDF-1.4", "Path('report.pdf').read_bytes()")
    Path('report.pdf').read_bytes()
    """

    def __init__(self, value: Any, text: str) -> None:
        self.value = value
        self.text = text

    def __repr__(self) -> str:
        return self.text


def named(value: Value, text: str) -> Value:
    """Return a value that is written as `text` in the code."""
    return cast(Value, Named(value, text))


def in_folder(folder: Path, name: str = "") -> Path:
    """Return a path in a folder that only the panel knows: in the code it is the working folder."""
    return named(folder / name, repr(name or "."))


def with_names(value: Value, texts: Mapping[Path, str]) -> Value:
    """Return a value whose paths, also those inside lists and dictionaries, are written as these texts in the code."""
    made: Any = value
    if isinstance(value, Path):
        made = named(value, texts[value])
    elif isinstance(value, list):
        made = [with_names(item, texts) for item in value]
    elif isinstance(value, dict):
        made = {key: with_names(item, texts) for key, item in value.items()}
    return cast(Value, made)


class Spoken:
    """Stands for an object of the client: the same attributes, items and calls, each call noted before it is made.

    Parameters
    ----------
    target
        The object.
    text
        Python for it.
    note
        Called with the Python of each call.

    Examples
    --------
    >>> Spoken(client, "client", print).studies["no such study"].delete()
    Traceback (most recent call last):
    KeyError: ...
    """

    def __init__(self, target: Any, text: str, note: Callable[[str], None]) -> None:
        self._target = target
        self._text = text
        self._note = note

    def __getattr__(self, name: str) -> Any:
        return self._spoken(getattr(self._target, name), f"{self._text}.{name}")

    def __getitem__(self, key: Any) -> Any:
        return self._spoken(self._target[key], f"{self._text}[{key!r}]")

    def __call__(self, *positional: Any, **named: Any) -> Any:  # noqa: D102 - a call of the target
        self._note(f"{self._text}({', '.join(_arguments(self._target, positional, named))})")
        return self._target(*map(_value, positional), **{name: _value(value) for name, value in named.items()})

    def _read(self, name: str) -> Any:
        self._note(f"{self._text}.{name}")
        return getattr(self._target, name)

    def _spoken(self, value: Any, text: str) -> Any:
        is_of_client = type(value).__module__.startswith("orthanc_lab.client.")
        return Spoken(value, text, self._note) if is_of_client or callable(value) else value


def read(spoken: Any, name: str) -> Any:
    """Return an attribute that asks the server, and note this; reading of others is not noted.

    Examples
    --------
    >>> studies = read(Spoken(client.patients.find()[0], "patient", print), "studies")
    patient.studies
    """
    return cast(Spoken, spoken)._read(name)


def _arguments(function: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> list[str]:
    usual = {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}
    said = {
        name: value
        for name, value in named.items()
        if name not in _UNSAID and (name not in usual or usual[name] is inspect.Parameter.empty or usual[name] != value)
    }
    if all(name.isidentifier() for name in said):
        return [*map(_said, positional), *(f"{name}={_said(value)}" for name, value in said.items())]
    return [*map(_said, positional), f"**{_said(said)}"]


def _said(value: Any) -> str:
    """Return Python for a value that needs no import."""
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, PurePath):
        return repr(str(value))
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_said, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_said(key)}: {_said(item)}' for key, item in value.items())}}}"
    return repr(value)


def _value(value: Any) -> Any:
    if isinstance(value, Named):
        return value.value
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _value(item) for key, item in value.items()}
    return value
