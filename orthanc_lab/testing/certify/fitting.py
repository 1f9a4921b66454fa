"""Which scenarios fit a server whose configuration is unknown, and which of their lines tell of all that it holds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from orthanc_lab.testing.scenario import Scenario, Send, Special, parse

__all__ = ["misfit", "numbers", "sends_of", "tells_of"]

_STOPPING = ("/tools/shutdown", "/tools/reset")
_HEAVY = "limits-"
_LITTERING = ("create-arrays", "create-failing-")
_LOGS = re.compile(r"/(changes|exports)\b")
_KINDS = {
    "studies": re.compile(
        r"/(patients|studies|series|instances|changes|exports|statistics|tools/(find|count-resources|labels|metrics))\b"
    ),
    "jobs": re.compile(r"/(jobs|tools/metrics)\b"),
    "peers": re.compile(r"/peers\b"),
    "modalities": re.compile(r"/modalities\b"),
}
_UPLOAD = re.compile(r"/instances(?:\?|$)")


def misfit(scenario: Scenario, held: Collection[str] = ()) -> str:
    """Return why a scenario cannot be run on a server that somebody else has configured, "" if it can.

    Parameters
    ----------
    held
        What the server holds already: ``studies``, ``jobs``, ``peers``, ``modalities``.
    """
    if scenario.peer or scenario.node:
        return "need a peer or a DICOM node that the configuration names"
    if scenario.options:
        return "need a configuration of their own"
    if any(isinstance(step, Special) and step.line != "GENERATES" for step in parse(scenario.text)):
        return "restart the server"
    sends = sends_of(scenario)
    if any(step.path.startswith(_STOPPING) for step in sends):
        return "stop the server"
    if scenario.name.startswith(_HEAVY):
        return "try how much a server can bear, which ends the real one"
    if scenario.name.startswith(_LITTERING):
        return "make Orthanc leave files behind that no answer names"
    if held and any("DELETE" in step.line and _LOGS.match(step.path) for step in sends):
        return "clear the logs of changes and exports"
    for kind in ("peers", "modalities"):
        if kind in held and any(step.method in ("PUT", "DELETE") and _KINDS[kind].match(step.path) for step in sends):
            return f"change {kind}, of which the server has some"
    return ""


def tells_of(step: Send, held: Collection[str]) -> str:
    """Return what of that which the server holds already shows in the answer to a line, "" for nothing."""
    if "{" in step.path or "/nope" in step.path or (step.method == "POST" and _UPLOAD.match(step.path)):
        return ""
    return next((kind for kind in held if _KINDS[kind].match(step.path)), "")


def sends_of(scenario: Scenario) -> list[Send]:
    """Return the requests of a scenario."""
    return [step for step in parse(scenario.before) + parse(scenario.text) if isinstance(step, Send)]


def numbers(scenarios: Iterable[Scenario]) -> tuple[int, int]:
    """Return the number of scenarios, and of their requests."""
    counts = [len(sends_of(scenario)) for scenario in scenarios]
    return len(counts), sum(counts)
