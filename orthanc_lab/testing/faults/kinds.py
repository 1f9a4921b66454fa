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
        "Send the request again if that does no harm, as with an upload; otherwise check first whether it was done.",
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
        "Start over with the first byte of the body; the server has discarded what it had.",
        "requests with a body",
        ("POST *", "PUT *"),
        when=("at_byte",),
    ),
    FaultKind(
        "connection reset in the answer",
        "HTTP",
        "The connection is reset in the middle of the answer (or at a byte of it).",
        "Compare what arrived with Content-Length, or look for the last chunk; discard it, and ask again.",
        "requests",
        when=("at_byte",),
    ),
    FaultKind(
        "connection reset after the answer",
        "HTTP",
        "The connection is reset after the complete answer, although it should have stayed open.",
        "Silently open another connection for the next request.",
        "requests",
    ),
    FaultKind(
        "truncated ZIP",
        "HTTP",
        "An archive ends early (or at a byte), and the answer looks complete.",
        "Look for the directory at the end of the archive before treating it as complete.",
        "answers with an archive",
        when=("at_byte",),
    ),
    FaultKind(
        "download slower than the time-out",
        "HTTP",
        "A download stops in the middle (or at a byte) for some seconds, then continues.",
        "Limit the time without a byte, not the total time; discard the partial file.",
        "answers with an archive or a file",
        when=("at_byte", "seconds"),
        seconds=5,
    ),
    FaultKind(
        "answer slower than the time-out",
        "HTTP",
        "The request is carried out at once, and answered after some seconds.",
        "Set a timeout; when it expires, check whether the request was carried out.",
        "requests",
        when=("seconds",),
        seconds=5,
    ),
    FaultKind(
        "503 without Retry-After",
        "HTTP",
        "Several requests in a row get status 503 (three by default).",
        "Send the request again after a pause that grows, a limited number of times.",
        "requests",
        times=3,
    ),
    FaultKind(
        "503 with Retry-After",
        "HTTP",
        "Several requests in a row (three by default) get status 503, with the number of seconds to wait.",
        "Wait for as long as the server says, but not without limit, and send the request again.",
        "requests",
        times=3,
        when=("seconds",),
        seconds=1,
    ),
    FaultKind(
        "duplicate delivery",
        "HTTP",
        "A request is carried out twice, as if a proxy had repeated it; the client gets the second answer.",
        "Treat AlreadyStored as success; identify jobs by the identifier in the answer, not by their number.",
        "requests",
        _CHANGING,
    ),
    FaultKind(
        "stale since of changes",
        "HTTP",
        "The numbers of changes start again, as after restoring a backup: `since` is beyond the last one.",
        "Compare Last with its own `since`; if it is lower, start again from 0.",
        "requests",
        ("GET /changes",),
        times=ALWAYS,
    ),
    FaultKind(
        "peer that accepts and loses",
        "HTTP",
        "An upload is answered Success, and the instance is gone.",
        "Check that the server has what was sent before deleting its own copy.",
        "uploads",
        _UPLOADS,
        times=ALWAYS,
    ),
    FaultKind(
        "slow peer",
        "HTTP",
        "Each upload is carried out some seconds late.",
        "Send over several connections, or in a job; show progress, and set a timeout.",
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
        "When asked for a job, the server restarts and forgets its archive jobs, like the real Orthanc.",
        "Treat 404 as the loss of the job, not as its end; submit it again.",
        "requests for a job",
        _JOB,
    ),
    FaultKind(
        "history evicted before it is fetched",
        "jobs",
        "A job has ended, and drops out of the history before the client has seen its end.",
        "Treat 404 as the loss of the job, not as its end; raise JobsHistorySize.",
        "looks at an ended job",
    ),
    FaultKind(
        "output evicted before it is fetched",
        "jobs",
        "The output of a job is removed before it is downloaded.",
        "Report the loss, and submit the job again; raise MediaArchiveSize.",
        "downloads of an output",
    ),
    FaultKind(
        "job that stays in Retry",
        "jobs",
        "A job makes no progress, and stays in the state Retry until the fault is switched off.",
        "Do not treat Retry as the end; wait, but not without limit.",
        "jobs",
    ),
    FaultKind(
        "job paused by somebody else",
        "jobs",
        "A job is paused before its first step (or after some steps).",
        "Notice the state Paused, and report it or resume the job; do not wait forever.",
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
        "The worker that is running a job dies silently: the job stays Running until the next start of the server.",
        "Set a timeout for the whole wait, and report the state of the job.",
        "jobs",
        when=("at_step",),
    ),
)

_OF_DISK = (
    FaultKind(
        "disk full at a byte",
        "disk",
        "The disk has room for only so many more bytes, until the fault is switched off.",
        "Stop at 507, report what was stored, and continue from there once there is space.",
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
        "One byte of a stored file is read incorrectly (three quarters into it, or at a byte).",
        "Compare the MD5 of what arrived with the one that the server has kept since the upload.",
        "reads of an instance",
        times=ALWAYS,
        when=("at_byte",),
    ),
    FaultKind(
        "index locked",
        "disk",
        "Another program has locked the index: requests that change it get status 500.",
        "Say that it failed; try again later.",
        "changes of the index",
    ),
)

_OTHERS = (
    FaultKind(
        "clock that jumps",
        "clock",
        "The time of day of the server jumps ahead by an hour (or by some seconds).",
        "Measure time with its own monotonic clock, and sort by numbers, not by times.",
        "looks at the clock",
        times=ALWAYS,
        when=("seconds",),
        seconds=3600,
    ),
    FaultKind(
        "DICOM association aborted",
        "DICOM",
        "The server aborts an association instead of answering.",
        "Open another association, and send again what was not confirmed.",
        "DICOM messages",
    ),
)

KINDS = MappingProxyType({kind.name: kind for kind in (*_HTTP, *_OF_JOBS, *_OF_DISK, *_OTHERS)})
"""All faults, by name."""
