"""What the REST API consists of, read from the table of routes: OpenAPI, and a CSV for people."""

from __future__ import annotations

import csv
import inspect
import io
import json
import re
from collections.abc import Mapping
from typing import Any

from orthanc_lab.protocol.version import VERSION
from orthanc_lab.rest.application import ROUTES
from orthanc_lab.rest.on_demand import OnDemand
from orthanc_lab.rest.routing import responders
from orthanc_lab.server.embedding.serve import in_process

__all__ = ["cheat_sheet", "openapi"]

_FIELD = re.compile(r"\{(\w+)(?::\w+)?\}")


def openapi() -> str:
    """Return the description of the REST API in the OpenAPI format, version 3.0."""
    paths: dict[str, Any] = {}
    for template, verbs in _table().items():
        path = _FIELD.sub(r"{\1}", template)
        parameters = [
            {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
            for name in _FIELD.findall(template)
        ]
        paths[path] = {
            verb.lower(): {
                "summary": summary,
                "parameters": parameters,
                "responses": {"200": {"description": "Success"}},
            }
            for verb, summary in verbs.items()
        }
    document = {
        "openapi": "3.0.0",
        "info": {"title": "REST API of orthanc-lab, as of Orthanc 1.12.7", "version": VERSION},
        "paths": paths,
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def cheat_sheet() -> str:
    """Return one line a route as CSV: path, verbs, what they do."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["Path", "GET", "POST", "PUT", "DELETE", "Summary"])
    for template, verbs in sorted(_table().items()):
        marks = ["X" if verb in verbs else "" for verb in ("GET", "POST", "PUT", "DELETE")]
        table.writerow([_FIELD.sub(r"{\1}", template), *marks, " ".join(dict.fromkeys(verbs.values()))])
    return out.getvalue()


def _table() -> Mapping[str, Mapping[str, str]]:
    with in_process() as server:
        return {
            template: {verb: _summary(responder) for verb, responder in verbs.items()}
            for template, verbs in responders(ROUTES, server.services).items()
        }


def _summary(responder: Any) -> str:
    owner = getattr(responder, "__self__", None)
    if isinstance(owner, OnDemand):  # they share one responder; the class describes the resource
        responder = type(owner.resource)
    return (inspect.getdoc(responder) or "").partition("\n")[0]
