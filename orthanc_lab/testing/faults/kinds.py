"""All faults, by name: what happens, and what a good client does about it."""

from __future__ import annotations

from types import MappingProxyType

from orthanc_lab.testing.faults.kind import ALWAYS, FaultKind

__all__ = ["KINDS"]

_CHANGING = ("POST *", "PUT *", "DELETE *")
_UPLOADS = ("POST /instances",)
_JOB = ("GET /jobs/*",)

_HTTP = (
    FaultKind(
        "answer lost after the commit",
        "HTTP",
        "The request is carried out, and its connection is reset before the answer.",
        "Send the request again if that does no harm, as with an upload; otherwise look first whether it was done.",
        "requests",
        _CHANGING,
    ),
    FaultKind(
        "connection reset before the answer",
        "HTTP",
        "The connection is reset, and the request is not carried out.",
        "Send the request again if that does no harm: it cannot know that nothing was done.",
        "requests",
    ),
    FaultKind(
        "connection reset in the request",
        "HTTP",
        "The connection is reset in the middle of the body of a request (or at a byte).",
        "Begin anew with the first byte of the body; the server has thrown away what it had.",
        "requests with a body",
        ("POST *", "PUT *"),
        when=("at_byte",),
    ),
    FaultKind(
        "connection reset in the answer",
        "HTTP",
        "The connection is reset in the middle of the answer (or at a byte of it).",
        "Compare what came with Content-Length, or with the end of the chunks; keep no part of it, and ask again.",
        "requests",
        when=("at_byte",),
    ),
    FaultKind(
        "connection reset after the answer",
        "HTTP",
        "The connection is reset behind the whole answer, though it was to stay open.",
        "Open another connection for the next request, without a word.",
        "requests",
    ),
    FaultKind(
        "truncated ZIP",
        "HTTP",
        "An archive ends early (or at a byte), and the answer looks complete.",
        "Look for the directory at the end of the archive before it is taken for complete.",
        "answers with an archive",
        when=("at_byte",),
    ),
    FaultKind(
        "download slower than the time-out",
        "HTTP",
        "A download stops in the middle (or at a byte) for some seconds, then goes on.",
        "Give up after a time without a byte, not after a time in all; keep no part of it.",
        "answers with an archive or a file",
        when=("at_byte", "seconds"),
        seconds=5,
    ),
    FaultKind(
        "answer slower than the time-out",
        "HTTP",
        "The request is carried out at once, and answered after some seconds.",
        "Have a time-out; when it has passed, look whether the request was carried out.",
        "requests",
        when=("seconds",),
        seconds=5,
    ),
    FaultKind(
        "503 without Retry-After",
        "HTTP",
        "Some requests in a row are answered 503 (three, unless it is told otherwise).",
        "Send the request again after a pause that grows, a limited number of times.",
        "requests",
        times=3,
    ),
    FaultKind(
        "503 with Retry-After",
        "HTTP",
        "Some requests in a row are answered 503, with the seconds to wait (three, unless it is told otherwise).",
        "Wait for as long as the server says, but not without limit, and send the request again.",
        "requests",
        times=3,
        when=("seconds",),
        seconds=1,
    ),
    FaultKind(
        "duplicate delivery",
        "HTTP",
        "A request is carried out twice, as by a proxy that sends it again; the second answer is answered.",
        "Take AlreadyStored for a success; know its jobs by the identifier that was answered, not by their number.",
        "requests",
        _CHANGING,
    ),
    FaultKind(
        "stale since of changes",
        "HTTP",
        "The numbers of the changes begin anew, as after a restore from a backup: `since` is beyond the last one.",
        "Compare Last with its own `since`; if it is lower, begin with 0 again.",
        "requests",
        ("GET /changes",),
        times=ALWAYS,
    ),
    FaultKind(
        "peer that accepts and loses",
        "HTTP",
        "An upload is answered Success, and the instance is gone.",
        "Ask for what it has sent, before it deletes its own copy.",
        "uploads",
        _UPLOADS,
        times=ALWAYS,
    ),
    FaultKind(
        "slow peer",
        "HTTP",
        "Each upload is carried out some seconds late.",
        "Send from several connections, or by a job; show progress, and have a time-out.",
        "uploads",
        _UPLOADS,
        times=ALWAYS,
        when=("seconds",),
        seconds=1,
    ),
)

_OF_JOBS = (
    FaultKind(
        "restart that forgets",
        "jobs",
        "While it is asked for a job, the server restarts without its archive jobs, as the real Orthanc does.",
        "Take 404 for the loss of the job, not for its end; submit it again.",
        "requests for a job",
        _JOB,
    ),
    FaultKind(
        "history evicted before it is fetched",
        "jobs",
        "A job has ended, and drops out of the history before its end is seen.",
        "Take 404 for the loss of the job, not for its end; have JobsHistorySize raised.",
        "looks at an ended job",
    ),
    FaultKind(
        "output evicted before it is fetched",
        "jobs",
        "The output of a job is removed before it is downloaded.",
        "Say what is lost, and submit the job again; have MediaArchiveSize raised.",
        "downloads of an output",
    ),
    FaultKind(
        "job that stays in Retry",
        "jobs",
        "A job does not get on, and shows the state Retry, until the fault is switched off.",
        "Know that Retry is no end; wait, but not without limit.",
        "jobs",
    ),
    FaultKind(
        "job paused by somebody else",
        "jobs",
        "A job is paused before its first step (or after some steps).",
        "Notice the state Paused, and say it or resume the job; do not wait without end.",
        "jobs",
        when=("at_step",),
    ),
    FaultKind(
        "job that fails",
        "jobs",
        "A job fails before its first step (or after some steps), with Orthanc error 14.",
        "Look at the state, the code and the details; resubmit it where that helps.",
        "jobs",
        when=("at_step",),
    ),
    FaultKind(
        "worker death between two steps",
        "jobs",
        "The worker that runs a job ends without a word: the job stays in Running until the next start of the server.",
        "Have a time-out for the whole wait, and say in which state the job is.",
        "jobs",
        when=("at_step",),
    ),
)

_OF_DISK = (
    FaultKind(
        "disk full at a byte",
        "disk",
        "The disk takes so many further bytes, and no more until the fault is switched off.",
        "Stop at 507, say what was stored, and go on from there once there is space.",
        "writes",
        times=ALWAYS,
        when=("at_byte",),
    ),
    FaultKind(
        "read-only disk",
        "disk",
        "Nothing can be written; what is stored can be read.",
        "Say which files were not stored.",
        "writes",
        times=ALWAYS,
    ),
    FaultKind(
        "corrupted attachment",
        "disk",
        "One byte of a stored file is read wrong (three quarters into it, or at a byte).",
        "Compare the MD5 of what it keeps with the one that the server has kept since the upload.",
        "reads of an instance",
        times=ALWAYS,
        when=("at_byte",),
    ),
    FaultKind(
        "index locked",
        "disk",
        "Another program holds the lock of the index: what changes it is answered 500.",
        "Say that it failed; try again later.",
        "changes of the index",
    ),
)

_OTHERS = (
    FaultKind(
        "clock that jumps",
        "clock",
        "The time of day of the server jumps ahead by an hour (or by some seconds).",
        "Measure time by its own monotonic clock, and order by numbers, not by times.",
        "looks at the clock",
        times=ALWAYS,
        when=("seconds",),
        seconds=3600,
    ),
    FaultKind(
        "DICOM association aborted",
        "DICOM",
        "The server aborts an association in place of an answer.",
        "Open another association, and send again what was not confirmed.",
        "DICOM messages",
    ),
)

KINDS = MappingProxyType({kind.name: kind for kind in (*_HTTP, *_OF_JOBS, *_OF_DISK, *_OTHERS)})
"""All faults, by name."""
