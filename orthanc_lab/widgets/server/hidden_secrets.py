"""Options without their secrets: what is shown in a notebook may be saved with it, and read by others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ["HIDDEN", "hide_secrets", "restore_secrets"]

HIDDEN = "***"
"""What stands in place of a secret."""

_SECRET_NAME = re.compile(
    r"password|passphrase|secret|token|apikey|accesskey|credential|connection(uri|string)", re.IGNORECASE
)
_ALL_SECRET = ("RegisteredUsers", "HttpHeaders")
_PEERS = "OrthancPeers"

Path = tuple[str | int, ...]


def hide_secrets(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with ``***`` in place of passwords, values of headers, and addresses that hold a password.

    Examples
    --------
    >>> hide_secrets({"Name": "x", "RegisteredUsers": {"alice": "wonderland"}})
    {'Name': 'x', 'RegisteredUsers': {'alice': '***'}}
    """
    return {name: _hidden(value, (name,)) for name, value in options.items()}


def restore_secrets(edited: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return edited options with the secrets of `options` in the places where ``***`` was left.

    Raises
    ------
    ValueError
        If there is no secret for a place.
    """
    return {name: _restored(value, options.get(name), (name,)) for name, value in edited.items()}


def _hidden(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {name: _hidden(item, (*path, name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden(item, (*path, index)) for index, item in enumerate(value)]
    return HIDDEN if value not in ("", None) and _is_secret(value, path) else value


def _is_secret(value: Any, path: Path) -> bool:
    if any(name in path[:-1] for name in _ALL_SECRET):
        return True
    if path[0] == _PEERS and path[2:] == (2,):  # [URL, user, password]
        return True
    if any(isinstance(name, str) and _SECRET_NAME.search(name) for name in path):
        return isinstance(value, str)
    return isinstance(value, str) and "@" in value and _has_password(value)


def _has_password(address: str) -> bool:
    try:
        return "@" in urlsplit(address if "://" in address else f"//{address}").netloc
    except ValueError:
        return True


def _restored(value: Any, original: Any, path: Path) -> Any:
    if isinstance(value, dict):
        before = original if isinstance(original, dict) else {}
        return {name: _restored(item, before.get(name), (*path, name)) for name, item in value.items()}
    if isinstance(value, list):
        earlier = original if isinstance(original, (list, tuple)) else []
        padded = [*earlier, *[None] * len(value)]
        return [_restored(item, padded[index], (*path, index)) for index, item in enumerate(value)]
    if value == HIDDEN and _hidden(original, path) != HIDDEN:
        where = " > ".join(str(part) for part in path)
        raise ValueError(f"The value of {where} is hidden, and there was none before: type it in full")
    return original if value == HIDDEN else value
