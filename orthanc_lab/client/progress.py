"""Progress bars of long calls: in a notebook and in a terminal, unless the caller follows the progress itself."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Literal, Protocol, TypeAlias

from orthanc_lab.client.display import plain

__all__ = ["VARIABLE", "Amount", "Follow", "following"]

VARIABLE = "ORTHANC_LAB_PROGRESS"
"""The environment variable that silences all bars when it is ``0``."""

Amount: TypeAlias = Callable[[int, "int | None"], None]
"""Called with what is done so far, and the total if it is known."""

Follow: TypeAlias = "Amount | Literal[False] | None"
"""Who follows the progress: a function of the caller, nobody (False), or a bar if there is a place for one (None)."""

Unit = Literal["files", "bytes", "%"]

_DELAY = 0.5  # seconds: quick calls show nothing
_PAUSE = 0.1  # seconds between two updates
_CELLS = 24  # characters of a bar


class _Place(Protocol):
    """Where a bar is drawn."""

    def draw(self, share: float | None, words: str) -> None: ...

    def end(self, words: str) -> None: ...


class _Terminal:
    """One line of a terminal, drawn again and again."""

    def __init__(self) -> None:
        self._width = 0

    def draw(self, share: float | None, words: str) -> None:
        filled = 0 if share is None else round(share * _CELLS)
        self._write(f"{'█' * filled}{'·' * (_CELLS - filled)} {words}")

    def end(self, words: str) -> None:
        self._write(f"{words}\n")

    def _write(self, line: str) -> None:
        sys.stderr.write("\r" + line.rstrip("\n").ljust(self._width) + ("\n" if line.endswith("\n") else ""))
        sys.stderr.flush()
        self._width = len(line)


class _Notebook:
    """An output of the cell that runs, replaced again and again."""

    def __init__(self) -> None:
        self._handle: Any = None

    def draw(self, share: float | None, words: str) -> None:
        value = "" if share is None else f' value="{share:.3f}"'
        self._show(f'<progress max="1"{value} aria-label="{escape(words)}"></progress> {plain(words)}', words)

    def end(self, words: str) -> None:
        self._show(plain(words), words)

    def _show(self, html: str, words: str) -> None:
        from IPython.display import display  # noqa: PLC0415 - there is a kernel, so it is loaded

        bundle = {"text/html": f"<div>{html}</div>", "text/plain": words}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)


def _place() -> _Place | None:
    if os.environ.get(VARIABLE) == "0" or threading.current_thread() is not threading.main_thread():
        return None  # what a thread shows would appear below a cell that has nothing to do with it
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and hasattr(shell, "kernel"):
        return _Notebook()
    return _Terminal() if sys.stderr is not None and sys.stderr.isatty() else None


class _Bar:
    """A bar that appears once a call has lasted for a moment, and leaves a line behind."""

    def __init__(self, place: _Place, doing: str, done: str, unit: Unit) -> None:
        self._place = place
        self._doing, self._done, self._unit = doing, done, unit
        self._begin = time.monotonic()
        self._next = self._begin + _DELAY
        self._amount: tuple[int, int | None] = (0, None)
        self._is_shown = False

    def update(self, done: int, total: int | None) -> None:
        self._amount = (done, total)
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PAUSE
            self._is_shown = True
            self._place.draw(min(done / total, 1) if total else None, f"{self._doing}: {self._words()}")

    def end(self, has_succeeded: bool) -> None:
        if self._is_shown:
            seconds = time.monotonic() - self._begin
            beginning = self._done if has_succeeded else f"{self._doing}: interrupted at"
            self._place.end(f"{beginning} {self._words()} in {seconds:.1f} s")

    def _words(self) -> str:
        done, total = self._amount
        if self._unit == "%":
            return f"{done} %"
        if self._unit == "bytes":
            whole = f" of {total / 1e6:,.1f}" if total and total != done else ""
            return f"{done / 1e6:,.1f}{whole} MB"
        if total and total != done:
            return f"{done:,} of {total:,} files"
        return f"{done:,} {'file' if done == 1 else 'files'}"


@contextmanager
def following(
    progress: Callable[..., None] | Literal[False] | None, doing: str, done: str, unit: Unit
) -> Iterator[Amount]:
    """Give what has to be called with the progress.

    Parameters
    ----------
    progress
        As the caller passed it.
    doing, done
        What the bar says meanwhile, and in the end: ``"Uploading"``, ``"Uploaded"``.
    unit
        What is counted.
    """
    if progress is not None and progress is not False:
        yield progress
        return
    place = _place() if progress is None else None
    if place is None:
        yield lambda done, total: None
        return
    bar = _Bar(place, doing, done, unit)
    try:
        yield bar.update
    except BaseException:
        bar.end(has_succeeded=False)
        raise
    bar.end(has_succeeded=True)
