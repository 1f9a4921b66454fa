"""The bits of samples on their way into a codec and out of it."""

from __future__ import annotations

from orthanc_lab.dicom.codecs.codec import Array
from orthanc_lab.dicom.images.image_description import ImageDescription

__all__ = ["bits_to_keep", "with_sign"]


def with_sign(pixels: Array, description: ImageDescription) -> Array:
    """Return samples of the allocated size, two's complement if the file declares them signed."""
    size = description.bits_allocated // 8
    samples = pixels.astype(f"<u{size}", copy=False) if pixels.dtype.kind == "u" else pixels.astype(f"<i{size}")
    spare = description.bits_allocated - description.bits_stored
    if description.signed and samples.dtype.kind == "u":
        signed = samples.view(f"<i{size}")
        return (signed << spare) >> spare if spare else signed
    return samples


def bits_to_keep(pixels: Array, description: ImageDescription) -> int:
    """Return how many bits of each sample an encoder must keep, so that nothing is lost.

    Samples with bits set above the stored ones keep these, too.
    """
    if description.signed:
        return description.bits_allocated
    highest = int(pixels.max()).bit_length() if pixels.size else 1
    return max(description.bits_stored, highest)
