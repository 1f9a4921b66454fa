"""Lossless JPEG with the first predictor, the sample to the left (ITU-T T.81 annex H)."""

from __future__ import annotations

import heapq
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["encode_lossless"]

Array = NDArray[Any]

_CATEGORIES = 17  # a difference of 16 bits has 0 to 16 bits after the code of its category


def encode_lossless(pixels: Array, bits: int) -> bytes:
    """Compress one frame.

    Parameters
    ----------
    pixels
        Shape (rows, columns) or (rows, columns, 3), unsigned samples of 8 or 16 bits.
    bits
        Precision of the samples, 2 to 16.
    """
    height, width = pixels.shape[:2]
    samples = pixels.reshape(height, width, -1).astype(np.int32)
    difference = _differences(samples, bits)
    category = _bit_lengths(np.abs(difference))
    lengths = _code_lengths(np.bincount(category, minlength=_CATEGORIES))
    codes = _canonical_codes(lengths)
    head = b"".join(
        (
            b"\xff\xd8",
            _frame_header(height, width, samples.shape[2], bits),
            _huffman_table(lengths),
            _scan_header(samples.shape[2]),
        )
    )
    return head + _packed(difference, category, lengths, codes) + b"\xff\xd9"


def _differences(samples: Array, bits: int) -> Array:
    """Return each sample less its prediction, modulo 2¹⁶, in the order of the scan."""
    predicted = np.empty_like(samples)
    predicted[:, 1:] = samples[:, :-1]
    predicted[1:, 0] = samples[:-1, 0]
    predicted[0, 0] = 1 << (bits - 1)
    difference = (samples - predicted) & 0xFFFF
    return np.where(difference > 0x8000, difference - 0x10000, difference).ravel()


def _bit_lengths(values: Array) -> Array:
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def _code_lengths(counts: Array) -> list[int]:
    """Return the length of the Huffman code of each category; 0 for one that does not occur."""
    floor = int(counts.sum()) // 500 + 1  # keeps all codes under 16 bits
    heap: list[tuple[int, int, list[int]]] = [
        (max(int(count), floor), category, [category]) for category, count in enumerate(counts) if count
    ]
    heap.append((1, _CATEGORIES, [_CATEGORIES]))  # takes the code of all ones, which JPEG does not allow
    heapq.heapify(heap)
    lengths = [0] * (_CATEGORIES + 1)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        for category in first[2] + second[2]:
            lengths[category] += 1
        heapq.heappush(heap, (first[0] + second[0], min(first[1], second[1]), first[2] + second[2]))
    return lengths[:_CATEGORIES]


def _canonical_codes(lengths: list[int]) -> list[int]:
    codes = [0] * _CATEGORIES
    code = previous = 0
    for length, category in sorted((length, category) for category, length in enumerate(lengths) if length):
        code <<= length - previous
        codes[category] = code
        code += 1
        previous = length
    return codes


def _packed(difference: Array, category: Array, lengths: list[int], codes: list[int]) -> bytes:
    """Return the scan: code and bits of each difference, padded with ones, each 0xFF followed by a zero."""
    extra = np.where(category == 16, 0, category)
    low_bits = np.where(difference < 0, difference - 1, difference) & ((1 << extra) - 1)
    values = (np.array(codes, np.int64)[category] << extra | low_bits).astype(np.uint64)
    sizes = (np.array(lengths, np.int64)[category] + extra).astype(np.int64)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    words = starts >> 5
    placed = values << (64 - (starts & 31) - sizes).astype(np.uint64)
    count = int(ends[-1] >> 5) + 2
    # No two values share a bit, and 32 bits fit into a float64: a weighted count is an exact OR.
    whole = np.bincount(words, (placed >> np.uint64(32)).astype(np.float64), count)
    whole += np.bincount(words + 1, (placed & np.uint64(0xFFFFFFFF)).astype(np.float64), count)
    stream = bytearray(whole.astype(">u4").tobytes()[: int(ends[-1] + 7) // 8])
    stream[-1] |= 0xFF >> (int(ends[-1] - 1) % 8 + 1)
    return bytes(stream).replace(b"\xff", b"\xff\x00")


def _frame_header(height: int, width: int, components: int, bits: int) -> bytes:
    parts = b"".join(bytes((number + 1, 0x11, 0)) for number in range(components))
    return b"\xff\xc3" + struct.pack(">HBHHB", 8 + 3 * components, bits, height, width, components) + parts


def _huffman_table(lengths: list[int]) -> bytes:
    by_length = sorted((length, category) for category, length in enumerate(lengths) if length)
    counts = bytes(sum(length == size for length, _ in by_length) for size in range(1, 17))
    symbols = bytes(category for _, category in by_length)
    return b"\xff\xc4" + struct.pack(">HB", 19 + len(symbols), 0) + counts + symbols


def _scan_header(components: int) -> bytes:
    parts = b"".join(bytes((number + 1, 0)) for number in range(components))
    return b"\xff\xda" + struct.pack(">HB", 6 + 2 * components, components) + parts + b"\x01\x00\x00"
