"""The servers that panels are tested on, without a browser: ours, and the real one."""

from tests.client.conftest import client, server_url, study

__all__ = ["client", "server_url", "study"]
