"""Raw deflate and CRC-32 for the members of a ZIP archive: ISA-L where it is installed, else zlib."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from orthanc_lab.jobs.kinds.zip_writer import Deflated
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

try:
    from isal import igzip_lib, isal_zlib
except ImportError:  # no wheel for this machine: zlib does the same, slower
    _HAS_ISAL = False
else:
    _HAS_ISAL = True

__all__ = ["Codec", "codec", "preferred_codec"]

_SAMPLE = 8192
_INCOMPRESSIBLE = 0.97
_crc32: Callable[[bytes], int] = isal_zlib.crc32 if _HAS_ISAL else zlib.crc32


@dataclass(frozen=True, slots=True)
class Codec:
    """A way to deflate; a job records its name and level, so that it goes on with the same bytes."""

    name: str  # isal or zlib
    level: int
    compress: Callable[[bytes], bytes]

    def deflate(self, data: bytes) -> Deflated:
        """Compress one member; data that do not shrink are stored inside the deflate stream."""
        packed = _store(data) if self._is_incompressible(data) else self.compress(data)
        return Deflated(packed, _crc32(data), len(data))

    def _is_incompressible(self, data: bytes) -> bool:
        # JPEG and its like: three samples tell, a hundred times faster than trying it all.
        if len(data) < 8 * _SAMPLE:
            return False
        quarter = len(data) // 4
        samples = (data[start : start + _SAMPLE] for start in (quarter, 2 * quarter, 3 * quarter))
        return all(len(self.compress(sample)) > _INCOMPRESSIBLE * _SAMPLE for sample in samples)


def preferred_codec() -> Codec:
    """Return the fastest codec of this installation at its best level."""
    return codec("isal" if _HAS_ISAL else "zlib", 1)


def codec(name: str, level: int) -> Codec:
    """Return a codec by what a job recorded.

    Raises
    ------
    OrthancError
        -1 if this installation lacks it.
    """
    if name == "isal" and _HAS_ISAL:
        return Codec(name, level, partial(igzip_lib.compress, level=level, flag=igzip_lib.COMP_DEFLATE))
    if name == "zlib":
        return Codec(name, level, partial(_zlib, level=level))
    raise OrthancError(
        ErrorCode.INTERNAL_ERROR, f"The archive was begun with the codec {name!r}, which is not installed any more"
    )


def _zlib(data: bytes, level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _store(data: bytes) -> bytes:
    return _zlib(data, 0)
