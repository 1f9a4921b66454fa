"""Fresh memory in pages of 2 MB: a large block is mapped in a few faults in place of thousands (Linux only)."""

from __future__ import annotations

import mmap

__all__ = ["use_huge_pages"]

_HUGE_PAGES = getattr(mmap, "MADV_HUGEPAGE", None)
_WORTHWHILE = 32 << 20  # bytes; smaller blocks are made of memory that was freed and is still mapped (memory_trimming)


def use_huge_pages(memory: memoryview) -> None:
    """Ask the system for huge pages behind memory that is not written yet; it may decline."""
    if _HUGE_PAGES is None or len(memory) < _WORTHWHILE:
        return
    import ctypes  # noqa: PLC0415 - for large blocks alone

    advise = getattr(ctypes.CDLL(None), "madvise", None)
    if advise is None:
        return
    first = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    start = -(-first // mmap.PAGESIZE) * mmap.PAGESIZE
    size = (first + len(memory) - start) // mmap.PAGESIZE * mmap.PAGESIZE
    advise(ctypes.c_void_p(start), ctypes.c_size_t(size), _HUGE_PAGES)
