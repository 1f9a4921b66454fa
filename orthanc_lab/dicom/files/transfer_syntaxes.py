"""The transfer syntaxes that Orthanc knows (PS3.5 section 10, PS3.6 annex A)."""

from __future__ import annotations

__all__ = ["TRANSFER_SYNTAXES"]

_ROOT = "1.2.840.10008.1.2"
_SUFFIXES = """
.1 .1.99 .2 .4.50 .4.51 .4.52 .4.53 .4.54 .4.55 .4.56 .4.57 .4.58 .4.59 .4.60 .4.61 .4.62 .4.63
.4.64 .4.65 .4.66 .4.70 .4.80 .4.81 .4.90 .4.91 .4.92 .4.93 .4.94 .4.95 .4.100 .4.101 .4.102 .4.103
.4.104 .4.105 .4.106 .4.107 .4.108 .5 .6.1 .6.2
"""

TRANSFER_SYNTAXES: tuple[str, ...] = (_ROOT, *(_ROOT + suffix for suffix in _SUFFIXES.split()))
"""UIDs, in the order in which Orthanc lists them."""
