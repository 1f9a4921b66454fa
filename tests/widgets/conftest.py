"""The servers that panels are tested on, without a browser: ours, and the real one."""

from tests.client.conftest import client, server_url, study
from tests.client.nodes import archive, archive_of_module, network, network_server

__all__ = ["archive", "archive_of_module", "client", "network", "network_server", "server_url", "study"]
