"""PNG pictures of 8 bits decoded strip by strip, so that what is done can be used while the rest is made.

ISA-L inflates several times faster than libpng's zlib, so libpng only undoes the filters. A strip is given to it as a
picture of its own, whose first row is the last one above, without a filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from imagecodecs import PngError, png_decode

from orthanc_lab.dicom.files.data_set import Watch
from orthanc_lab.dicom.images.png_chunks import png_header, stored_png
from orthanc_lab.protocol.deflate import ZlibReader

__all__ = ["decode_strips"]

_STRIP = 512 << 10  # bytes
_COLOURS = {1: 0, 3: 2, 4: 6}  # by channels


def decode_strips(
    deflated: bytes, shape: tuple[int, int, int], target: memoryview, watch: Watch | None
) -> Iterator[int]:
    """Write the samples into memory, without alpha; yield how many bytes are final.

    Parameters
    ----------
    deflated
        The filtered rows.
    shape
        Height, width and channels.
    watch
        Inflates the next strip meanwhile.

    Raises
    ------
    ValueError
        If the picture is damaged.
    """
    height, width, channels = shape
    row = width * channels + 1
    step = max(1, _STRIP // row)
    reader = ZlibReader(deflated)
    inflated = _pieces(reader.read, [min(step, height - start) * row for start in range(0, height, step)], watch)
    kept = min(channels, 3)
    samples = np.frombuffer(target, np.uint8).reshape(height, width, kept)
    above = b""
    for start in range(0, height, step):
        end = min(start + step, height)
        rows = above + next(inflated)
        header = png_header(width, len(rows) // row, _COLOURS[channels])
        first = max(start - 1, 0)
        try:
            if channels == 4:
                decoded = png_decode(stored_png(header, rows))
                samples[first:end] = decoded[..., :3]
            else:
                # The row above is written once more: the same bytes.
                decoded = samples[first:end] if channels == 3 else samples[first:end, :, 0]
                png_decode(stored_png(header, rows), out=decoded)
        except PngError as error:
            raise ValueError("the picture is damaged") from error
        above = b"\0" + decoded[-1].tobytes()
        if end < height:
            yield (end - 1) * width * kept
    reader.finish()


def _pieces(read: Callable[[int], bytes], sizes: Sequence[int], watch: Watch | None) -> Iterator[bytes]:
    """Yield pieces of these sizes, each of which is read while the one before is in use."""
    if watch is None or len(sizes) == 1:
        yield from map(read, sizes)
        return
    ahead = watch.submit(read, sizes[0])
    for size in sizes[1:]:
        piece, ahead = ahead.result(), watch.submit(read, size)
        yield piece
    yield ahead.result()
