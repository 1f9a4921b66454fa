"""The options of a server that are not at their defaults, as far as a client can see them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from orthanc_lab.testing.certify.target import Target
from orthanc_lab.testing.exchange import Answer, Exchange, send

__all__ = ["CONNECTION", "PAST", "VISIBLE", "visible_options"]

PAST = "the past"
"""In place of an option: what the server did before."""

_KEYS = {
    "CheckRevisions": "CheckRevisions",
    "DicomAet": "DicomAet",
    "DicomDefaultRetrieveMethod": "DefaultRetrieveMethod",
    "ExtraMainDicomTags": "MainDicomTags",
    "IngestTranscoding": "IngestTranscoding",
    "MaximumPatientCount": "MaximumPatientCount",
    "MaximumStorageMode": "MaximumStorageMode",
    "MaximumStorageSize": "MaximumStorageSize",
    "Name": "Name",
    "OverwriteInstances": "OverwriteInstances",
    "StorageCompression": "StorageCompression",
    "UserMetadata": "UserMetadata",
}
"""By option: the key of ``/system`` that shows it."""

CONNECTION = ("connection", "keep-alive")
"""Headers that each hop on the way decides on; they are compared only if they are Orthanc's usual ones."""

_LONG = "/tools/accepted-sop-classes"  # shorter answers are never compressed
_USUAL_CONNECTION = ["keep-alive", "timeout"]

VISIBLE = frozenset(_KEYS) | {
    "AuthenticationEnabled",
    "DefaultEncoding",
    "HttpCompressionEnabled",
    "HttpDescribeErrors",
    "MetricsEnabled",
    "OrthancExplorerEnabled",
    "RemoteAccessAllowed",
}
"""The options that a client can see."""


def visible_options(target: Target, system: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, str]:
    """Return the options that are not at their defaults, with their values.

    Parameters
    ----------
    system, usual
        What ``/system`` says, and what it says with the default configuration.
    """
    found = {
        option: json.dumps(system[key])[:80]
        for option, key in _KEYS.items()
        if key in system and system[key] != usual.get(key)
    }
    return found | dict(_probed(target, system))


def _probed(target: Target, system: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if send(target.url, Exchange("GET", "/system"), verify=target.verify).status == 401:
        yield "AuthenticationEnabled", "true"
    elif system.get("IsHttpServerSecure"):  # that no password is needed is secure only where nobody else can come
        yield "RemoteAccessAllowed", "false"
    packed = target.reach(target.url, Exchange("GET", _LONG, headers={"Accept-Encoding": "gzip"}))
    if packed.headers.get("content-encoding") == "gzip":
        yield "HttpCompressionEnabled", "true"
    if [packed.headers.get(name, "").partition("=")[0].lower() for name in CONNECTION] != _USUAL_CONNECTION:
        yield "KeepAlive", "false, or another server stands before it"
    if not target.ask("GET", "/no-such-route").body:
        yield "HttpDescribeErrors", "false"
    if target.ask("GET", "/app/explorer.html").status == 404:
        yield "OrthancExplorerEnabled", "false"
    for option, path, usual in (
        ("DefaultEncoding", "/tools/default-encoding", "Latin1"),
        ("MetricsEnabled", "/tools/metrics", "1"),
    ):
        value = _text(target.ask("GET", path))
        if value not in (usual, None):
            yield option, value


def _text(answer: Answer) -> str | None:
    return answer.body.decode("utf-8", "replace").strip()[:80] if answer.status == 200 else None
