"""Answers that are right as long as the index stays as it is, for clients that ask the same again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["KnownAnswers"]

_SIZE = 4 << 20  # bytes of questions and answers
_LARGEST = _SIZE // 2


class KnownAnswers:
    """Keeps answers until the index changes.

    Parameters
    ----------
    version
        Returns a number that is another one after each change of the index; None if that is not known.
    """

    def __init__(self, version: Callable[[], int | None]) -> None:
        self.version = version
        self._lock = threading.Lock()
        self._known: tuple[int | None, dict[bytes, bytes]] = (None, {})
        self._size = 0

    def get(self, question: bytes, version: int | None) -> bytes | None:
        """Return the answer to a question, None if it is not known for this version of the index."""
        known, answers = self._known
        return answers.get(question) if known == version else None

    def keep(self, question: bytes, version: int | None, answer: bytes) -> None:
        """Keep an answer that was found while the index had this version, or a later one."""
        size = len(question) + len(answer)
        if version is None or size > _LARGEST:
            return
        with self._lock:
            known, answers = self._known
            if known != version or self._size + size > _SIZE:
                answers, self._size = {}, 0
            answers[question] = answer
            self._size += size
            self._known = (version, answers)
