"""The HTTP session of a program that started a server itself."""

from __future__ import annotations

import requests

from orthanc_lab.server.options.settings import CheckedSettings

__all__ = ["session_of"]


def session_of(settings: CheckedSettings) -> requests.Session:
    """Return a session with the credentials and certificates for a server with these settings."""
    session = requests.Session()
    session.trust_env = False  # no proxy for the loopback interface
    if settings["AuthenticationEnabled"] and settings["RegisteredUsers"]:
        session.auth = next(iter(settings["RegisteredUsers"].items()))
    if settings["SslEnabled"]:
        session.verify = settings["SslCertificate"]
    return session
