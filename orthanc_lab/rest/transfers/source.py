"""What a server offers to those that pull from it: ``/transfers/lookup`` and ``/transfers/chunks``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.rest.http.arguments import query_arguments, unsigned
from orthanc_lab.rest.http.bodies import read_json
from orthanc_lab.rest.services import Services
from orthanc_lab.rest.transfers.answers import answer_compact, check_id
from orthanc_lab.transfers.chunks import chunks_of_range, read_in_pieces
from orthanc_lab.transfers.compression import COMPRESSIONS, check_compression, compressed_pieces
from orthanc_lab.transfers.documents import lookup_document
from orthanc_lab.transfers.instances import instances_of

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]

_LARGEST = 2**31 - 1


class Lookup:
    """Which instances some resources have, and how large they are."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage
        self._originator = services.originator

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the instances, sorted by identifier."""
        instances = instances_of(self._storage, read_json(req))
        answer_compact(resp, lookup_document(instances, self._originator.id))


class Chunks:
    """A range of the bytes of some instances."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage

    def on_get(self, req: falcon.Request, resp: falcon.Response, ids: str) -> None:
        """Answer the bytes, as they are or in gzip format."""
        arguments = query_arguments(req)
        compression = check_compression(arguments.get("compression", "none"))
        offset, size = (_number(arguments.get(name)) for name in ("offset", "size"))
        wanted = [id for id in check_id(ids).split(".") if id]
        chunks = chunks_of_range(self._storage, wanted, offset, size)
        resp.content_type = COMPRESSIONS[compression]
        pieces = compressed_pieces(read_in_pieces(self._storage, chunks), compression)
        if compression == "none":
            resp.set_stream(pieces, sum(chunk.size for chunk in chunks))
        else:
            resp.stream = pieces  # the same instances may be asked for again and again


def _number(text: str | None) -> int:
    number = 0 if text is None else unsigned(text)
    if number is None or number > _LARGEST:
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
    return number


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/transfers/chunks/{ids}", Chunks),
    ("/transfers/lookup", Lookup),
)
