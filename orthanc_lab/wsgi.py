"""The server for any WSGI server: `application` returns what that is to serve."""

from orthanc_lab.server.embedding.hosted import HostedApplication, application

__all__ = ["HostedApplication", "application"]
