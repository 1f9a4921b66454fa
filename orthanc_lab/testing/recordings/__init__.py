"""Recordings: all that passes between a client and a server, in one file; and servers that answer from it."""

from __future__ import annotations

from orthanc_lab.testing.recordings.bodies import BytesBody
from orthanc_lab.testing.recordings.errors import NotRecordedError, RecordingError
from orthanc_lab.testing.recordings.exchange import Body, RecordedExchange
from orthanc_lab.testing.recordings.proxy import Recorder
from orthanc_lab.testing.recordings.reader import Recording
from orthanc_lab.testing.recordings.replay import Replay, recorded
from orthanc_lab.testing.recordings.writer import RecordingWriter

__all__ = [
    "Body",
    "BytesBody",
    "NotRecordedError",
    "RecordedExchange",
    "Recorder",
    "Recording",
    "RecordingError",
    "RecordingWriter",
    "Replay",
    "recorded",
]
