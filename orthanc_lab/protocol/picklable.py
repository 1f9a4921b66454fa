"""Errors that reach another process as they are."""

from __future__ import annotations

from typing import Any

__all__ = ["Picklable"]


class Picklable:
    """An error that can be pickled although its class takes other arguments than its message.

    Without it, a worker of a process pool in which such an error is raised takes the whole pool down.

    Examples
    --------
    >>> import pickle
    >>> class LateError(Picklable, Exception):
    ...     def __init__(self, seconds):
    ...         super().__init__(f"{seconds} s late")
    ...         self.seconds = seconds
    >>> error = LateError(3)
    >>> make, arguments, state = error.__reduce__()
    >>> str(make(*arguments)), state
    ('3 s late', {'seconds': 3})
    """

    args: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        return _made, (type(self), *self.args), self.__dict__


def _made(kind: type[BaseException], *arguments: Any) -> BaseException:
    return kind.__new__(kind, *arguments)  # without its __init__, which takes others
