"""The transfer syntaxes (PS3.5 section 10, PS3.6 annex A): one row for each, from which all other lists derive.

A new one takes a row here and, if its frames can be coded, the module that the row names.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

__all__ = [
    "DEFLATED_LE",
    "EXPLICIT_BE",
    "EXPLICIT_LE",
    "IMPLICIT_LE",
    "TransferSyntax",
    "deflated_uids",
    "find_transfer_syntax",
    "is_known",
    "known_uids",
    "register",
    "target_syntaxes",
    "unregister",
]

IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
DEFLATED_LE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BE = "1.2.840.10008.1.2.2"

_CODECS = "orthanc_lab.dicom.codecs."


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """How a data set and its pixel data are written."""

    uid: str
    name: str
    known: bool = True  # Orthanc names it in metadata and options; it reads the others without a name for them
    layout: str = EXPLICIT_LE  # of the data set: IMPLICIT_LE, EXPLICIT_LE or EXPLICIT_BE
    deflated: bool = False  # the whole data set
    encapsulated: bool = True  # the pixel data must be fragments
    lossy: bool = False  # it cannot keep every pixel
    mime: str = "application/octet-stream"  # media type of a raw frame
    codec: str = ""  # module that codes the frames, imported on first use (see `orthanc_lab.dicom.codecs.codec`)
    is_target: bool = False  # a server may transcode to it
    without_pixels: bool = False  # Orthanc transcodes to it what has no pixel data
    bits_stored: Container[int] = range(1 << 16)  # of a data set that is transcoded to it, if it has Bits Stored

    @property
    def is_native(self) -> bool:
        """True if Orthanc writes pixel data of this transfer syntax uncompressed."""
        return self.is_target and not self.encapsulated


def find_transfer_syntax(uid: str) -> TransferSyntax | None:
    """Return the row of a UID, None if it has none."""
    return _BY_UID.get(uid)


def deflated_uids() -> tuple[str, ...]:
    """Return the UIDs of those in which the whole data set is deflated."""
    return tuple(uid for uid, syntax in _BY_UID.items() if syntax.deflated)


def is_known(uid: str) -> bool:
    """Tell whether Orthanc knows a transfer syntax; it may still be unable to produce it."""
    found = _BY_UID.get(uid)
    return found is not None and found.known


def known_uids() -> tuple[str, ...]:
    """Return the UIDs that Orthanc knows, in the order in which it lists them."""
    return tuple(uid for uid, syntax in _BY_UID.items() if syntax.known)


def target_syntaxes() -> tuple[TransferSyntax, ...]:
    """Return the transfer syntaxes that a server may transcode to."""
    return tuple(syntax for syntax in _BY_UID.values() if syntax.is_target)


def register(syntax: TransferSyntax) -> None:
    """Add a transfer syntax, or replace the one with its UID, in this process.

    Examples
    --------
    >>> register(TransferSyntax("1.2.3.4", "Toy", codec="my_package.toy_codec"))
    >>> is_known("1.2.3.4")
    True
    >>> unregister("1.2.3.4")
    """
    _BY_UID[syntax.uid] = syntax


def unregister(uid: str) -> None:
    """Take out a transfer syntax that `register` added."""
    del _BY_UID[uid]


def _native(uid: str, name: str, layout: str, *, deflated: bool = False) -> TransferSyntax:
    return TransferSyntax(
        uid, name, layout=layout, deflated=deflated, encapsulated=False, is_target=True, without_pixels=True
    )


def _jpeg(number: int, name: str) -> TransferSyntax:
    return TransferSyntax(f"1.2.840.10008.1.2.4.{number}", name)


def _coded(
    number: int,
    name: str,
    codec: str,
    *,
    lossy: bool = False,
    mime: str = "application/octet-stream",
    is_target: bool = True,
    without_pixels: bool = True,
    bits_stored: Container[int] = range(1 << 16),
) -> TransferSyntax:
    return TransferSyntax(
        f"1.2.840.10008.1.2.4.{number}",
        name,
        lossy=lossy,
        mime=mime,
        codec=_CODECS + codec,
        is_target=is_target,
        without_pixels=is_target and without_pixels,
        bits_stored=bits_stored,
    )


def _unnamed(end: str, name: str) -> TransferSyntax:
    return TransferSyntax("1.2.840.10008.1.2" + end, name, known=False)


_ROWS = (
    _native(IMPLICIT_LE, "Implicit VR Little Endian", IMPLICIT_LE),
    _native(EXPLICIT_LE, "Explicit VR Little Endian", EXPLICIT_LE),
    _native(DEFLATED_LE, "Deflated Explicit VR Little Endian", EXPLICIT_LE, deflated=True),
    _native(EXPLICIT_BE, "Explicit VR Big Endian", EXPLICIT_BE),
    _coded(50, "JPEG Baseline (lossy)", "jpeg_baseline", lossy=True, mime="image/jpeg", bits_stored=(8,)),
    _coded(51, "JPEG Extended (lossy)", "jpeg_extended", lossy=True, bits_stored=range(1, 13)),
    _jpeg(52, "JPEG Extended, Process 3 and 5"),
    _coded(53, "JPEG Spectral Selection, Process 6 and 8", "jpeg_extended", lossy=True, is_target=False),
    _jpeg(54, "JPEG Spectral Selection, Process 7 and 9"),
    _coded(55, "JPEG Full Progression, Process 10 and 12", "jpeg_extended", lossy=True, is_target=False),
    _jpeg(56, "JPEG Full Progression, Process 11 and 13"),
    _coded(57, "JPEG Lossless, Process 14", "jpeg_lossless"),
    _jpeg(58, "JPEG Lossless, Process 15"),
    _jpeg(59, "JPEG Extended Hierarchical, Process 16 and 18"),
    _jpeg(60, "JPEG Extended Hierarchical, Process 17 and 19"),
    _jpeg(61, "JPEG Spectral Selection Hierarchical, Process 20 and 22"),
    _jpeg(62, "JPEG Spectral Selection Hierarchical, Process 21 and 23"),
    _jpeg(63, "JPEG Full Progression Hierarchical, Process 24 and 26"),
    _jpeg(64, "JPEG Full Progression Hierarchical, Process 25 and 27"),
    _jpeg(65, "JPEG Lossless Hierarchical, Process 28"),
    _jpeg(66, "JPEG Lossless Hierarchical, Process 29"),
    _coded(70, "JPEG Lossless", "jpeg_lossless"),
    _coded(80, "JPEG-LS Lossless", "jpeg_ls"),
    _coded(81, "JPEG-LS Near-Lossless (lossy)", "jpeg_ls", lossy=True),
    _coded(90, "JPEG 2000 Lossless", "jpeg_2000", mime="image/jp2", without_pixels=False),
    _coded(91, "JPEG 2000 (lossy)", "jpeg_2000", lossy=True, mime="image/jp2", without_pixels=False),
    _jpeg(92, "JPEG 2000 Multi-component Lossless"),
    _jpeg(93, "JPEG 2000 Multi-component"),
    TransferSyntax("1.2.840.10008.1.2.4.94", "JPIP Referenced", encapsulated=False),
    TransferSyntax("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", deflated=True, encapsulated=False),
    _jpeg(100, "MPEG2 Main Profile, Main Level"),
    _jpeg(101, "MPEG2 Main Profile, High Level"),
    _jpeg(102, "MPEG-4 AVC/H.264 High Profile, Level 4.1"),
    _jpeg(103, "MPEG-4 AVC/H.264 BD-compatible High Profile, Level 4.1"),
    _jpeg(104, "MPEG-4 AVC/H.264 High Profile, Level 4.2, for 2D Video"),
    _jpeg(105, "MPEG-4 AVC/H.264 High Profile, Level 4.2, for 3D Video"),
    _jpeg(106, "MPEG-4 AVC/H.264 Stereo High Profile, Level 4.2"),
    _jpeg(107, "HEVC/H.265 Main Profile, Level 5.1"),
    _jpeg(108, "HEVC/H.265 Main 10 Profile, Level 5.1"),
    TransferSyntax("1.2.840.10008.1.2.5", "RLE Lossless", codec=_CODECS + "rle", is_target=True),
    TransferSyntax("1.2.840.10008.1.2.6.1", "RFC 2557 MIME Encapsulation", encapsulated=False),
    TransferSyntax("1.2.840.10008.1.2.6.2", "XML Encoding", encapsulated=False),
    _unnamed(".1.98", "Encapsulated Uncompressed Explicit VR Little Endian"),
    _unnamed(".4.110", "JPEG XL Lossless"),
    _unnamed(".4.111", "JPEG XL JPEG Recompression"),
    _unnamed(".4.112", "JPEG XL"),
    _unnamed(".4.201", "High-Throughput JPEG 2000 Lossless"),
    _unnamed(".4.202", "High-Throughput JPEG 2000 with RPCL Options, Lossless"),
    _unnamed(".4.203", "High-Throughput JPEG 2000"),
    TransferSyntax(
        "1.2.840.10008.1.2.4.205",
        "JPIP HTJ2K Referenced Deflate",
        known=False,
        deflated=True,
        encapsulated=False,
    ),
)
_BY_UID = {row.uid: row for row in _ROWS}
