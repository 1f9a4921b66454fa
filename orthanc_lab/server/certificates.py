"""Certificates, keys and ciphers that the configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["naming_option"]


@contextmanager
def naming_option(option: str, value: object) -> Iterator[None]:
    """Give what OpenSSL or the system says in this block the option that it is about.

    Raises
    ------
    OSError
        With both in its words.
    """
    try:
        yield
    except OSError as error:  # OpenSSL's errors are among them
        raise OSError(f'The option "{option}" cannot be used ({value}): {error.strerror or error}') from error
