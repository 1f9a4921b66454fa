"""What the client relies on in requests that its documentation does not promise: where urllib3's reason stands."""

from __future__ import annotations

import socket
import threading

import pytest
import requests
from urllib3.exceptions import NewConnectionError

from orthanc_lab.client.errors import reason_of
from orthanc_lab.server.loopback import free_port


def failure(url: str) -> requests.RequestException:
    with requests.Session() as session, pytest.raises(requests.ConnectionError) as caught:
        session.get(url, timeout=5)
    return caught.value


def test_a_refused_connection_is_told_from_others() -> None:
    """Nothing was sent, so that even a POST may be sent again."""
    reason = reason_of(failure(f"http://127.0.0.1:{free_port()}/"))
    assert isinstance(reason, NewConnectionError)
    assert "refused" in str(reason)


def test_a_lost_connection_is_not_a_refused_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept_and_close() -> None:
            connection, _ = listener.accept()
            connection.close()

        thread = threading.Thread(target=accept_and_close)
        thread.start()
        reason = reason_of(failure(f"http://127.0.0.1:{listener.getsockname()[1]}/"))
        thread.join()
    assert not isinstance(reason, NewConnectionError)
