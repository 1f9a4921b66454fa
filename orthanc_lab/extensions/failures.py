"""The errors of extensions, in words that clients and logs show."""

from __future__ import annotations

import logging

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["extension_error", "noted", "of_exception"]

_log = logging.getLogger("orthanc_lab.plugins")
_LONGEST = 500  # letters of a text that an extension made


def extension_error(details: str) -> OrthancError:
    """Return the error of an extension: 1 "Error encountered within the plugin engine"."""
    return OrthancError(ErrorCode.PLUGIN, details)


def of_exception(error: BaseException) -> OrthancError:
    """Return what an exception of an extension is to its clients: its name and its words."""
    try:
        text = str(error)
    except Exception:  # its words are the extension's own, too
        text = ""
    name = type(error).__name__
    return extension_error(f"{name}: {text[:_LONGEST]}" if text else name)


def noted(error: BaseException, what: str) -> OrthancError:
    """Log where an exception of an extension happened, for its author, and return what it is to clients."""
    found = of_exception(error)
    _log.error("%s: %s", what, found.details, exc_info=error)
    return found
