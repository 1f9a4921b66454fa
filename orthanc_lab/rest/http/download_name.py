"""The name under which a client saves what it downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import falcon

__all__ = ["name_download"]

_CONTROL = {0x7F: None, **dict.fromkeys(range(0x20))}
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\"})


def name_download(resp: falcon.Response, name: str, *, is_raw: bool = False) -> None:
    """Set ``Content-Disposition``.

    Where a name, which a client may choose, would end the quotes around it, it is escaped (RFC 9110, 5.6.4): what
    follows must not pass for a parameter of the header. Control characters are left out.

    Parameters
    ----------
    is_raw
        Whether the name is made of bytes, as it stood in the address; else the header gets those of UTF-8.
    """
    raw = name if is_raw else name.encode("utf-8", "replace").decode("latin-1")
    kept = raw.translate(_CONTROL)
    if '"' in kept or kept.endswith("\\"):
        kept = kept.translate(_ESCAPES)
    resp.set_header("Content-Disposition", f'filename="{kept}"')
