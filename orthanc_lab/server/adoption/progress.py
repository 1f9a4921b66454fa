"""How far an import is: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TextIO

__all__ = ["Progress"]

_BAR = 30
_BAR_SECONDS, _LINE_SECONDS = 0.2, 10.0


class Progress:
    """Shows how many of the instances were dealt with."""

    def __init__(self, total: int, out: TextIO) -> None:
        self._total = total
        self._out = out
        self._is_terminal = out.isatty()
        self._shown = time.monotonic()  # monotonic; when it was shown last
        self._done = 0

    def show(self, done: int) -> None:
        """Take note of how many instances were dealt with."""
        self._done = done
        now = time.monotonic()
        if now - self._shown >= (_BAR_SECONDS if self._is_terminal else _LINE_SECONDS):
            self._shown = now
            self._write()

    def end(self) -> None:
        """Show where it ended."""
        self._write()
        if self._is_terminal:
            self._out.write("\n")
            self._out.flush()

    def _write(self) -> None:
        if self._is_terminal:
            filled = _BAR * self._done // self._total if self._total else _BAR
            self._out.write(f"\r[{'#' * filled}{' ' * (_BAR - filled)}] {self._done} of {self._total} instances")
        else:
            self._out.write(f"{self._done} of {self._total} instances\n")
        self._out.flush()
