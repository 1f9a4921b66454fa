"""Log lines in Orthanc's form: ``W1124 05:42:33.424461 THREAD file.py:404] text``."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections import deque
from contextlib import suppress
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.private_files import open_private_log

__all__ = ["LogTail", "log_errors_only", "log_to", "open_log_folder"]

# What would begin a line of its own, or command a terminal; the text of a line may come from a client.
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST = 4000  # letters of a line, which may quote what a client sent
_LETTERS = {"DEBUG": "T", "INFO": "I", "WARNING": "W", "ERROR": "E", "CRITICAL": "E"}


class LineFormatter(logging.Formatter):
    """One line a record, local time, with the thread and the place in the code."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, followed by the traceback if there is one."""
        moment = datetime.fromtimestamp(record.created)
        thread = "MAIN" if record.threadName == "MainThread" else (record.threadName or "")[-16:]
        letter = _LETTERS.get(record.levelname, "W")
        place = f"{record.filename}:{record.lineno}"
        line = f"{letter}{moment:%m%d %H:%M:%S.%f} {thread:>16} {place}] {_visible(record.getMessage())}"
        if record.exc_info:
            # Indented, so that no line of an error's text looks like one of the log.
            trace = self.formatException(record.exc_info).split("\n")
            line += "".join(f"\n  {_visible(text)}" for text in trace)
        return line


def _visible(text: str) -> str:
    """Return a text with escapes in place of characters that are none to read, cut off if it is very long."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}… ({len(text):,} characters)"
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def log_to(file: Path | None) -> None:
    """Send the log to a file, or to standard error.

    Raises
    ------
    OrthancError
        14 if the file cannot be written.
    """
    try:
        handler = _StandardError() if file is None else _PrivateFile(file, encoding="utf-8")
    except OSError as error:
        text = f"Cannot write to the specified log file ({file}), aborting."
        raise OrthancError(ErrorCode.CANNOT_WRITE_FILE, text) from error
    handler.setFormatter(LineFormatter())
    root = logging.getLogger("orthanc_lab")
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.propagate = False


def log_errors_only() -> None:
    """Write errors alone: for a server inside another program, unless that program configures logging itself."""
    log = logging.getLogger("orthanc_lab")
    if log.handlers:
        return
    handler = _StandardError(unless_program_logs=True)
    handler.setLevel(logging.ERROR)
    handler.setFormatter(LineFormatter())
    log.addHandler(handler)


class _StandardError(logging.Handler):
    """Writes to what is standard error at that moment (a notebook or a test may replace it)."""

    def __init__(self, *, unless_program_logs: bool = False) -> None:
        super().__init__()
        self._unless_program_logs = unless_program_logs

    def emit(self, record: logging.LogRecord) -> None:
        if self._unless_program_logs and logging.getLogger().handlers:
            return
        with suppress(OSError, ValueError):  # standard error is closed
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()


class _PrivateFile(logging.FileHandler):
    """Writes to a file that no other user can read; one that exists keeps its mode."""

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(open_private_log(self.baseFilename), encoding=self.encoding, errors=self.errors)


_LONGEST_LINE = 2000  # letters


class LogTail(logging.Handler):
    """Keeps the last lines, of all servers of this program, until `close`."""

    def __init__(self, most: int = 1000) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=most)
        self.setFormatter(LineFormatter())
        logging.getLogger("orthanc_lab").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._lines.extend(line[:_LONGEST_LINE] for line in self.format(record).splitlines())

    def lines(self, most: int) -> list[str]:
        """Return the last lines."""
        return list(self._lines.copy())[-most:]

    def close(self) -> None:
        """Keep nothing more; what is kept stays."""
        logging.getLogger("orthanc_lab").removeHandler(self)
        super().close()


def open_log_folder(folder: Path) -> Path:
    """Return a new log file in a folder; the link ``Orthanc.log`` points to it.

    Raises
    ------
    OrthancError
        13 if the folder does not exist.
    """
    if not folder.is_dir():
        text = f"The directory where to store the log files ({folder}) is inexistent, aborting."
        raise OrthancError(ErrorCode.INEXISTENT_FILE, text)
    file = folder / f"Orthanc.log.{datetime.now():%Y%m%d-%H%M%S}.{os.getpid()}"
    link = folder / "Orthanc.log"
    link.unlink(missing_ok=True)
    link.symlink_to(file.name)
    return file
