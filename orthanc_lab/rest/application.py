"""The application: every route in one table, the request guard in front, Falcon between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from wsgiref.types import WSGIApplication

from orthanc_lab.rest import explorer
from orthanc_lab.rest.http.error_document import error_document
from orthanc_lab.rest.http.plain_answers import PlainAnswers
from orthanc_lab.rest.instances import content, files, frames, instances_tags, modules, ordered_slices, tags
from orthanc_lab.rest.jobs import cluster, events, jobs, peers
from orthanc_lab.rest.making import archives, create, modification, move_storage, study_changes
from orthanc_lab.rest.network import commitment, modalities, modality_store, queries, retrieve, worklist
from orthanc_lab.rest.network import find as find_of_modalities
from orthanc_lab.rest.on_demand import ApplicationOnDemand
from orthanc_lab.rest.request_guard import RequestGuard
from orthanc_lab.rest.resources import (
    attachments,
    browse,
    bulk,
    changes,
    find,
    labels,
    metadata,
    protection,
    reconstruction,
    statistics,
)
from orthanc_lab.rest.routing import Responders, responders
from orthanc_lab.rest.server import control, dicom_options, log_levels, metrics, system, tools
from orthanc_lab.rest.services import Services
from orthanc_lab.rest.transfers import receiving, sending, source
from orthanc_lab.rest.webdav.application import WebDav

__all__ = ["ROUTES", "Route", "make_application"]

Route = tuple[str, Callable[[Services], Any]]

ROUTES: Sequence[Route] = (
    # what is stored
    *browse.ROUTES,
    *tags.ROUTES,
    *content.ROUTES,
    *files.ROUTES,
    *frames.ROUTES,
    *modules.ROUTES,
    *instances_tags.ROUTES,
    *ordered_slices.ROUTES,
    *statistics.ROUTES,
    *protection.ROUTES,
    *metadata.ROUTES,
    *attachments.ROUTES,
    *labels.ROUTES,
    *find.ROUTES,
    *bulk.ROUTES,
    *changes.ROUTES,
    *reconstruction.ROUTES,
    # what is made
    *create.ROUTES,
    *modification.ROUTES,
    *study_changes.ROUTES,
    *archives.ROUTES,
    *move_storage.ROUTES,
    *jobs.ROUTES,
    *events.ROUTES,
    *cluster.ROUTES,
    *peers.ROUTES,
    # transfers
    *source.ROUTES,
    *receiving.ROUTES,
    *sending.ROUTES,
    # other DICOM nodes
    *modalities.ROUTES,
    *commitment.ROUTES,
    *modality_store.ROUTES,
    *worklist.ROUTES,
    *queries.ROUTES,
    *retrieve.ROUTES,
    *find_of_modalities.ROUTES,
    # the server itself
    *system.ROUTES,
    *tools.ROUTES,
    *control.ROUTES,
    *log_levels.ROUTES,
    *dicom_options.ROUTES,
    *metrics.ROUTES,
    *explorer.ROUTES,
)
"""The table of contents: each URI template with the maker of its resource."""


def make_application(services: Services, routes: Iterable[Route] = ROUTES) -> RequestGuard:
    """Return the WSGI application that serves Orthanc's REST API.

    Parameters
    ----------
    services
        The parts below, as the assembly put them together.
    routes
        The table of routes.
    """
    if not services.settings["OrthancExplorerEnabled"]:
        routes = [route for route in routes if route not in explorer.ROUTES]
    if services.extensions is not None:
        from orthanc_lab.rest.extensions import routes_of  # noqa: PLC0415 - most servers have no extensions

        routes = [*routes, *routes_of(services.extensions, services)]
    table = responders(routes, services)
    app = ApplicationOnDemand(lambda: _falcon_application(table, services))
    if services.extensions is not None:
        services.extensions.connect(app)
    webdav = WebDav(services, error_document) if services.settings["WebDavEnabled"] else None
    plain = PlainAnswers({} if services.settings["HttpCompressionEnabled"] else table)
    return RequestGuard(app, services, plain, webdav)


def _falcon_application(table: Mapping[str, Responders], services: Services) -> WSGIApplication:
    from orthanc_lab.rest.falcon_application import make_falcon_application  # noqa: PLC0415 - a sixth of a start

    return make_falcon_application(table, services)
