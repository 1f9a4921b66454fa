"""A column of small pictures beside the rows of resources, which a notebook draws."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape

import pandas as pd

from orthanc_lab.client import Client, Instance, ResponseError
from orthanc_lab.frames.columns import typed
from orthanc_lab.protocol.levels import Level

__all__ = ["COLUMN", "PicturedFrame", "with_thumbnails"]

COLUMN = "thumbnail"
_MOST = 100  # a server is not asked for ten thousand pictures because somebody looks at a table
_AT_ONCE = 4
_PIXELS = 64
_MOST_BYTES = 32_768  # more than 64 × 64 pixels in colour ever need
_PLACE = re.compile(r"place-of-picture-([0-9]{1,9})-([0-9a-f]{16})")


class PicturedFrame(pd.DataFrame):
    """A frame whose column ``thumbnail`` is shown as pictures, also in what is selected from it."""

    @property
    def _constructor(self) -> Callable[..., PicturedFrame]:
        return PicturedFrame

    def _repr_html_(self) -> str | None:
        if COLUMN not in self.columns:
            return pd.DataFrame(self)._repr_html_()  # type: ignore[operator,no-any-return]  # unknown to the stubs
        # pandas escapes and shortens every text, so that the pictures take the places of words that nobody can foresee.
        mark = secrets.token_hex(8)
        words = [f"place-of-picture-{number}-{mark}" for number in range(len(self))]
        html = pd.DataFrame(self).assign(**{COLUMN: words})._repr_html_()  # type: ignore[operator]
        if html is None:  # the user has switched HTML off
            return None
        return _PLACE.sub(
            lambda found: _picture(self[COLUMN].iloc[int(found[1])]) if found[2] == mark else found[0], html
        )


def with_thumbnails(
    client: Client, level: Level, frame: pd.DataFrame, children: Sequence[Sequence[str]], most: bool | int
) -> PicturedFrame:
    """Return a frame of resources with thumbnails of the first ones."""
    count = _MOST if most is True else max(0, most)
    rows = list(zip(frame["id"], children, strict=True))[:count]
    with ThreadPoolExecutor(_AT_ONCE, "thumbnails") as pool:
        pictures = list(pool.map(lambda row: _thumbnail(client, level, *row), rows))
    addresses: list[str | None] = [_address(picture) for picture in pictures]
    addresses += [None] * (len(frame) - len(rows))
    pictured = PicturedFrame(frame)
    pictured.insert(0, COLUMN, typed(addresses, COLUMN))
    return pictured


def _thumbnail(client: Client, level: Level, id: str, children: Sequence[str]) -> bytes:
    """Return a picture of the instance in the middle; empty if there is none, or it is gone by now."""
    try:
        while level.child is not None:
            if not children:
                return b""
            level, id = level.child, children[len(children) // 2]
            if level.child is not None:
                children = client.transport.get(f"/{level.plural}/{id}")[level.child.plural.capitalize()]
        return Instance(client.transport, id).thumbnail(_PIXELS)
    except ResponseError:
        return b""


def _address(png: bytes) -> str | None:
    if not 0 < len(png) <= _MOST_BYTES:
        return None
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def _picture(address: object) -> str:
    return f'<img alt="Thumbnail" src="{escape(address)}">' if isinstance(address, str) else ""
