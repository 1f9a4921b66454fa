"""What codes the frames of a transfer syntax: found by its row, imported on first use.

A module that a row names has a function ``codec_for(uid)``, which returns a `Codec`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from orthanc_lab.dicom.images.image_description import ImageDescription
from orthanc_lab.protocol.transfer_syntaxes import TransferSyntax, find_transfer_syntax

__all__ = ["Array", "Codec", "Decoder", "Encoder", "codec_of"]

Array = NDArray[Any]

Decoder = Callable[[bytes, ImageDescription], Array]
"""Takes the joined fragments of a frame; returns shape (rows, columns) or (rows, columns, 3), colours as RGB."""

Encoder = Callable[[Array, ImageDescription, int], bytes]
"""Takes a frame, its description and the quality (1 to 100, for lossy ones)."""

_OPTIONAL = frozenset({"imagecodecs", "jpeg_ls"})  # modules of the extra `codecs`


@dataclass(frozen=True, slots=True)
class Codec:
    """How frames are decoded and encoded."""

    decode: Decoder | None = None
    encode: Encoder | None = None
    expansion: int = 1 << 20  # a frame takes no more than this many times the bytes of its data
    bits: frozenset[int] = frozenset({8, 16})  # bits allocated that `encode` takes
    signed: bool = True  # `encode` takes signed samples
    gray_bits: Mapping[int, int] = field(default_factory=dict)  # of a gray sample by Bits Stored, if values are fitted
    colours: str = ""  # Photometric Interpretation of what `encode` makes of RGB, if it changes that
    as_stored: bool = False  # `decode` returns colours as the file names them, in place of RGB
    palettes: bool = True  # `encode` keeps the indices of a palette; else it takes their colours
    ratio_of_stored: bool = False  # the ratio counts Bits Stored, and samples of up to 8 are written as bytes
    description: str = ""  # for Derivation Description, with {quality}, {bits} and {ratio}
    method: str = ""  # defined term of Lossy Image Compression Method, for a lossy one


def codec_of(uid: str) -> Codec | None:
    """Return the codec of a transfer syntax; None if it has none, or it needs the extra ``codecs``."""
    syntax = find_transfer_syntax(uid)
    return None if syntax is None or not syntax.codec else _load(syntax)


@functools.lru_cache(maxsize=256)
def _load(syntax: TransferSyntax) -> Codec | None:
    try:
        module = importlib.import_module(syntax.codec)
    except ModuleNotFoundError as missing:
        if missing.name not in _OPTIONAL:
            raise
        return None
    codec: Codec = module.codec_for(syntax.uid)
    return codec
