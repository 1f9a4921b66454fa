"""Where the instances that a request brings or makes come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orthanc_lab.storage.records import Origin

if TYPE_CHECKING:
    import falcon

__all__ = ["origin_of"]


def origin_of(req: falcon.Request, username: str | None = None) -> Origin:
    """Return the origin: the REST API, or an extension that called it.

    Parameters
    ----------
    username
        Replaces the name of the authenticated user.
    """
    return Origin(
        request_origin=req.env.get("orthanc.origin", "RestApi"),
        remote_ip=req.remote_addr or "",
        http_username=req.context.username if username is None else username,
    )
