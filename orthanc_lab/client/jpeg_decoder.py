"""JPEG of all depths for pydicom: lossless and 12 bits, which Pillow does not read (extra ``codecs``).

A plug-in in pydicom's sense (its guide "Decoding plugins"): `is_available`, `DECODER_DEPENDENCIES` and a function
that decodes one frame.
"""

from __future__ import annotations

import functools
import importlib.util
import threading
from typing import Any

from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1

__all__ = ["DECODER_DEPENDENCIES", "decode_frame", "is_available", "register"]

_LABEL = "orthanc_lab"

DECODER_DEPENDENCIES = dict.fromkeys((JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1), ("imagecodecs",))
"""What must be installed, for pydicom's error message."""


def is_available(uid: str) -> bool:
    """Tell whether frames of a transfer syntax can be decoded."""
    return uid in DECODER_DEPENDENCIES and importlib.util.find_spec("imagecodecs") is not None


def decode_frame(data: bytes, runner: DecodeRunner) -> bytearray:
    """Return the pixels of a frame, colours as they stand in the file."""
    import imagecodecs  # noqa: PLC0415 - an extra

    # Named the same on both sides, colours are left as they are.
    colours: dict[str, Any] = {"colorspace": "RGB", "outcolorspace": "RGB"} if runner.samples_per_pixel == 3 else {}
    pixels = imagecodecs.jpeg8_decode(data, **colours)
    runner.set_option("bits_allocated", 8 * pixels.dtype.itemsize)
    runner.set_option("planar_configuration", 0)
    return bytearray(pixels.tobytes())


_registering = threading.Lock()


def register() -> None:
    """Make the plug-in known to pydicom; once is enough."""
    with _registering:
        _register_once()


@functools.cache
def _register_once() -> None:
    for uid in DECODER_DEPENDENCIES:
        get_decoder(uid).add_plugin(_LABEL, (__name__, "decode_frame"))
