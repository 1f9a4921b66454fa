"""All that a server tells about what it stores."""

from __future__ import annotations

from typing import Any

import requests

__all__ = ["Answers", "answers"]

Answers = dict[str, Any]

_GENERAL = ("/statistics", "/changes?limit=1000", "/exports", "/tools/labels", "/modalities?expand", "/peers?expand")
_OF_RESOURCE = ("", "/metadata?expand", "/statistics", "/attachments")
_OF_ATTACHMENT = ("info", "data", "compressed-data")
_OWN = {"FileUuid", "Uuid", "IsStable"}  # the import names files anew, and waits for nothing


def answers(url: str) -> Answers:
    """Return the answers of a server, by path."""
    with requests.Session() as session:

        def get(path: str) -> Any:
            answer = session.get(url + path, timeout=30)
            if not answer.headers.get("Content-Type", "").startswith("application/json"):
                return answer.status_code, answer.content
            return answer.status_code, _shared(answer.json())

        found = {path: get(path) for path in _GENERAL}
        for level in ("patients", "studies", "series", "instances"):
            for id in get(f"/{level}")[1]:
                found |= {f"/{level}/{id}{end}": get(f"/{level}/{id}{end}") for end in _OF_RESOURCE}
                if level == "patients":
                    found[f"/patients/{id}/protected"] = get(f"/patients/{id}/protected")
                for name in found[f"/{level}/{id}/attachments"][1]:
                    path = f"/{level}/{id}/attachments/{name}"
                    found |= {f"{path}/{end}": get(f"{path}/{end}") for end in _OF_ATTACHMENT}
        return found


def _shared(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shared(one) for name, one in value.items() if name not in _OWN}
    return [_shared(one) for one in value] if isinstance(value, list) else value
