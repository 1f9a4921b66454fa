"""RLE (PS3.5 annex G): a segment for each byte of each sample, the most significant first."""

from __future__ import annotations

import itertools

import numpy as np

from orthanc_lab.dicom.codecs.codec import Array, Codec
from orthanc_lab.dicom.images.image_description import ImageDescription

__all__ = ["codec_for", "pack_bits", "unpack_bits"]

_EXPANSION = 64  # two bytes make no more than 128


def codec_for(uid: str) -> Codec:
    """Return the codec of RLE Lossless."""
    return Codec(_decode, _encode, expansion=_EXPANSION, bits=frozenset({8, 16, 32}), as_stored=True)


def _decode(data: bytes, description: ImageDescription) -> Array:
    count = int.from_bytes(data[:4], "little")
    size = description.bits_allocated // 8
    if count != size * description.samples or size not in (1, 2, 4):
        raise ValueError("wrong number of RLE segments")
    bounds = [*np.frombuffer(data, "<u4", count, 4).tolist(), len(data)]
    if bounds != sorted(bounds):
        raise ValueError("the RLE segments overlap")
    length = description.width * description.height
    planes = np.empty((description.samples, length, size), np.uint8)
    for index in range(count):
        segment = unpack_bits(data[bounds[index] : bounds[index + 1]], length)
        if len(segment) < length:
            if index < count - 1:
                raise ValueError("an RLE segment is too short")
            segment = segment.ljust(length, segment[-1:] or b"\0")  # as dcmtk does it
        planes[index // size, :, size - 1 - index % size] = np.frombuffer(segment, np.uint8)
    samples = planes.reshape(description.samples, -1).view(f"<u{size}")
    shaped = samples.reshape(description.samples, description.height, description.width)
    return shaped[0] if description.samples == 1 else np.ascontiguousarray(np.moveaxis(shaped, 0, -1))


def unpack_bits(data: bytes, length: int) -> bytes:
    """Undo the run-length encoding of one segment, up to a length."""
    found = bytearray()
    position = 0
    end = len(data)
    while len(found) < length and position < end:
        code = data[position]
        if code < 128:
            found += data[position + 1 : position + 2 + code]
            position += 2 + code
        elif code > 128:
            found += data[position + 1 : position + 2] * (257 - code)
            position += 2
        else:
            position += 1
    return bytes(found[:length])


def _encode(pixels: Array, description: ImageDescription, quality: int) -> bytes:
    samples = np.ascontiguousarray(pixels).reshape(description.height, description.width, -1)
    size = samples.dtype.itemsize
    planes = samples.view(np.uint8).reshape(*samples.shape, size)
    segments = [
        _pack_rows(planes[:, :, sample, byte]) for sample in range(samples.shape[2]) for byte in reversed(range(size))
    ]
    offsets, position = [], 64
    for segment in segments:
        offsets.append(position)
        position += len(segment)
    header = np.zeros(16, "<u4")
    header[0] = len(segments)
    header[1 : 1 + len(segments)] = offsets
    return header.tobytes() + b"".join(segments)


def _pack_rows(plane: Array) -> bytes:
    packed = b"".join(pack_bits(row.tobytes()) for row in plane)
    return packed + b"\0" if len(packed) & 1 else packed


def pack_bits(row: bytes) -> bytes:
    """Encode one row: three equal bytes or more as a run, everything else literally."""
    values = np.frombuffer(row, np.uint8)
    edges = np.flatnonzero(np.diff(values)) + 1
    starts = [0, *edges.tolist(), len(row)]
    parts: list[bytes] = []
    literal = 0  # where the bytes that are not in a run start
    for start, end in itertools.pairwise(starts):
        length = end - start
        if length < 3:
            continue
        _put_literal(parts, row[literal:start])
        while length > 0:
            run = min(length, 128)
            parts.append(bytes((257 - run, row[start])) if run > 1 else bytes((0, row[start])))
            length -= run
        literal = end
    _put_literal(parts, row[literal:])
    return b"".join(parts)


def _put_literal(parts: list[bytes], data: bytes) -> None:
    for start in range(0, len(data), 128):
        piece = data[start : start + 128]
        parts.append(bytes((len(piece) - 1,)) + piece)
