"""Text that somebody else has written, as it may be shown in a terminal."""

from __future__ import annotations

import re

__all__ = ["visible"]

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""Return a text without what would control a terminal, or turn the direction of what follows.

    Examples
    --------
    >>> visible("a title\x1b]0;of a window\x07")
    'a title�]0;of a window�'
    """
    return _UNSEEN.sub("\ufffd", text)
