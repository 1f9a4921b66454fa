"""Where other servers push to: ``/transfers/push``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orthanc_lab.rest.http.answers import EmptyAnswer, unknown_resource
from orthanc_lab.rest.http.bodies import read_body, read_json
from orthanc_lab.rest.services import Services
from orthanc_lab.rest.transfers.answers import answer_compact, answer_indented, check_id
from orthanc_lab.transfers.documents import read_push

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]

_NUMBER = re.compile(r"[0-9]+", re.ASCII)
_LONGEST = 20  # digits of a number of 64 bits


class _PushResource:
    def __init__(self, services: Services) -> None:
        self._pushes = services.pushes


class Pushes(_PushResource):
    """The transactions of those that push."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Open a transaction."""
        id = self._pushes.create(read_push(read_json(req)))
        answer_indented(resp, {"ID": id, "Path": f"/transfers/push/{id}"})


class Push(_PushResource):
    """One transaction."""

    def on_delete(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Forget the transaction."""
        self._pushes.discard(check_id(id))
        answer_compact(resp, {})


class PushBucket(_PushResource):
    """A bucket of a transaction."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, id: str, number: str) -> None:
        """Take the bucket."""
        check_id(id)
        if number == "commit":
            raise EmptyAnswer(405, {"Allow": "POST"})
        if not _NUMBER.fullmatch(number) or len(number.lstrip("0")) > _LONGEST or int(number) >= 2**64:
            raise unknown_resource()
        self._pushes.write(id, int(number), read_body(req))
        answer_compact(resp, {})


class PushCommit(_PushResource):
    """The end of a transaction."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Store what has arrived."""
        read_body(req)
        self._pushes.commit(check_id(id))
        answer_compact(resp, {})


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/transfers/push", Pushes),
    ("/transfers/push/{id}", Push),
    ("/transfers/push/{id}/commit", PushCommit),
    ("/transfers/push/{id}/{number}", PushBucket),
)
