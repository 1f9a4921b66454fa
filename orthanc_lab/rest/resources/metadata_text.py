"""Values of metadata: clients may write any bytes, of which the index keeps a text."""

from __future__ import annotations

__all__ = ["metadata_bytes", "metadata_text", "readable"]

# Each byte that is not UTF-8 is kept as a character for private use, and comes back as it was.
_PRIVATE = {0xDC00 + byte: 0x10F000 + byte for byte in range(0x80, 0x100)}
_SURROGATES = {private: surrogate for surrogate, private in _PRIVATE.items()}
_REPLACEMENTS = dict.fromkeys(_SURROGATES, "\N{REPLACEMENT CHARACTER}")
# Such a character that a client writes is kept as its bytes.
_KEPT: dict[int, int | str] = {
    **_PRIVATE,
    **{code: "".join(chr(0x10F000 + byte) for byte in chr(code).encode()) for code in _SURROGATES},
}


def metadata_text(value: bytes) -> str:
    """Return a value as the index keeps it."""
    return value.decode("utf-8", "surrogateescape").translate(_KEPT)


def metadata_bytes(text: str) -> bytes:
    """Return the bytes that a client wrote."""
    return text.translate(_SURROGATES).encode("utf-8", "surrogateescape")


def readable(text: str) -> str:
    """Return a value for a document: what is not UTF-8 is shown as U+FFFD."""
    return text if text.isascii() else text.translate(_REPLACEMENTS)
