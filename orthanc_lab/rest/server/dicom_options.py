"""What the server accepts: default encoding, transfer syntaxes and SOP classes over DICOM."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orthanc_lab.dicom.dictionary.storage_sop_classes import STORAGE_SOP_CLASSES
from orthanc_lab.dicom.files import charsets
from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import known_uids
from orthanc_lab.rest.http.answers import answer_json, answer_nothing, answer_text
from orthanc_lab.rest.http.bodies import read_body, read_boolean
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]


class DefaultEncoding:
    """The character set of files that name none."""

    def __init__(self, services: Services) -> None:
        self._settings = services.settings
        self._storage = services.storage

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the name of the encoding."""
        answer_text(resp, self._settings["DefaultEncoding"])

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Change it until the server starts again."""
        wanted = read_body(req).decode("utf-8", "replace").upper()
        name = next((name for name in charsets.names() if name.upper() == wanted), None)
        if name is None:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        self._settings.change("DefaultEncoding", name)
        self._storage.set_default_encoding(name)
        answer_text(resp, name)


class AcceptedTransferSyntaxes:
    """The transfer syntaxes that are accepted over DICOM."""

    def __init__(self, services: Services) -> None:
        self._settings = services.settings

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the UIDs."""
        patterns = self._settings["AcceptedTransferSyntaxes"]
        matching = [uid for uid in known_uids() if _matches_any(uid, patterns)]
        answer_json(req, resp, matching)

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Change them until the server starts again: an array of patterns, or one pattern, be it JSON or not."""
        body = read_body(req)
        try:
            patterns = lenient_json.loads(body)
        except OrthancError:
            patterns = body.decode("utf-8", "replace")
        if isinstance(patterns, str):
            patterns = [patterns]
        if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
        self._settings.change("AcceptedTransferSyntaxes", patterns)
        self.on_get(req, resp)


class UnknownSopClassAccepted:
    """Whether instances of an unknown SOP class are accepted over DICOM."""

    def __init__(self, services: Services) -> None:
        self._settings = services.settings

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer ``1`` or ``0``."""
        answer_text(resp, "1" if self._settings["UnknownSopClassAccepted"] else "0")

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Change it until the server starts again."""
        self._settings.change("UnknownSopClassAccepted", read_boolean(req))
        answer_nothing(resp)


class AcceptedSopClasses:
    """The SOP classes that are accepted over DICOM."""

    def __init__(self, services: Services) -> None:
        accepted: list[str] = services.settings["AcceptedSopClasses"] or ["*"]
        named = {pattern for pattern in accepted if "*" not in pattern and "?" not in pattern}
        self._uids = sorted(named.union(uid for uid in STORAGE_SOP_CLASSES if _matches_any(uid, accepted)))

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the UIDs, sorted; ``RejectedSopClasses`` is ignored here, as in Orthanc."""
        answer_json(req, resp, self._uids)


def _matches_any(uid: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(uid, pattern) for pattern in patterns)


ROUTES: Sequence[tuple[str, type]] = (
    ("/tools/default-encoding", DefaultEncoding),
    ("/tools/accepted-transfer-syntaxes", AcceptedTransferSyntaxes),
    ("/tools/unknown-sop-class-accepted", UnknownSopClassAccepted),
    ("/tools/accepted-sop-classes", AcceptedSopClasses),
)
