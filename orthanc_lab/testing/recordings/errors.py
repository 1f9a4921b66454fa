"""What can be wrong with a recording."""

from __future__ import annotations

__all__ = ["NotRecordedError", "RecordingError"]


class RecordingError(ValueError):
    """The file is not a recording, is of another version, or is damaged; the message says which, and where.

    Examples
    --------
    >>> from pathlib import Path
    >>> from orthanc_lab.testing import Recording, RecordingError
    >>> _ = Path("a.zip").write_bytes(b"PK")
    >>> try:
    ...     Recording("a.zip")
    ... except RecordingError as error:
    ...     print(error)
    a.zip is not a recording
    """


class NotRecordedError(AssertionError):
    """A request was sent to a replayed server that is not in its recording; the message shows the nearest ones.

    Examples
    --------
    >>> from pathlib import Path
    >>> from orthanc_lab.testing import NotRecordedError, recorded
    >>> from orthanc_lab.testing.recordings import RecordedExchange, RecordingWriter
    >>> with RecordingWriter(Path("one.recording")) as writer:
    ...     writer.add(RecordedExchange("GET", "/instances", status=200))
    >>> try:
    ...     with recorded("one.recording") as server:
    ...         print(server.session.get(f"{server.url}/studies"))
    ... except NotRecordedError as error:
    ...     print(error)
    <Response [501]>
    GET /studies is not in the recording
    The nearest requests in it:
      GET /instances
        path /instances in the recording, /studies in the request
    """
