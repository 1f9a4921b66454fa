"""The errors inside a server that no client saw, kept for the one who runs it: by their words, and few."""

from __future__ import annotations

from traceback import TracebackException

__all__ = ["MOST", "ReportedError", "keep_error"]

MOST = 50
"""Errors that are kept, the last ones."""

_LONGEST = 1000  # letters of a text
_MOST_PARTS = 100  # of a traceback: calls, and the texts of errors


class ReportedError(Exception):
    """An error inside the server, as text: the error itself would keep the memory of all calls that led to it.

    ``str()`` is the text of the error; its type and the traceback are in its note (PEP 678), which Python and
    pytest show.
    """

    @classmethod
    def of(cls, error: BaseException) -> ReportedError:
        """Return the words of an error."""
        reported = cls(str(error)[:_LONGEST])
        parts = list(TracebackException.from_exception(error).format())
        reported.add_note(
            "".join(part if len(part) <= _LONGEST else f"{part[:_LONGEST]}…\n" for part in parts[-_MOST_PARTS:])
        )
        return reported


def keep_error(errors: list[BaseException], error: BaseException) -> None:
    """Add the words of an error to a list, from which the oldest disappear."""
    errors.append(ReportedError.of(error))
    del errors[:-MOST]
