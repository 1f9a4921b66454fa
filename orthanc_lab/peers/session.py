"""The requests session of a peer: credentials, certificates, proxy."""

from __future__ import annotations

import ssl
from base64 import b64encode
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from orthanc_lab.peers.http_options import HttpOptions
from orthanc_lab.peers.peer import Peer

__all__ = ["open_session"]


def open_session(peer: Peer, options: HttpOptions) -> requests.Session:
    """Return a session for a peer; nothing is taken from the environment."""
    session = _PeerSession(peer)
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # none is kept, as by libcurl
    session.headers.clear()
    session.headers["Accept"] = "*/*"
    session.headers.update(peer.headers)
    if peer.username:
        token = b64encode(f"{peer.username}:{peer.password}".encode()).decode("ascii")
        session.headers["Authorization"] = f"Basic {token}"
    if options.proxy:
        session.proxies = {"http": options.proxy, "https": options.proxy}
    session.verify = (options.ca_certificates or True) if options.verify_peers else False
    if not options.verify_peers:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # it was asked for
    if peer.certificate_file:
        session.mount("https://", _ClientCertificate(peer, options))
    return session


class _PeerSession(requests.Session):
    """A session that follows redirections, but tells only its peer what the configuration says of it."""

    def __init__(self, peer: Peer) -> None:
        super().__init__()
        self._secret = ["Authorization", *peer.headers]

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Drop credentials and configured headers from a request that was redirected to another server."""
        assert response.request.url is not None
        assert prepared_request.url is not None
        if self.should_strip_auth(response.request.url, prepared_request.url):  # type: ignore[no-untyped-call]
            for name in self._secret:
                prepared_request.headers.pop(name, None)


class _ClientCertificate(HTTPAdapter):
    """Shows a client certificate; its key may have a password, which requests alone cannot handle."""

    def __init__(self, peer: Peer, options: HttpOptions) -> None:
        self._context = ssl.create_default_context(cafile=options.ca_certificates or None)
        if not options.verify_peers:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE
        self._context.load_cert_chain(
            peer.certificate_file, peer.certificate_key_file or None, peer.certificate_key_password or None
        )
        super().__init__()

    def init_poolmanager(self, *positional: Any, **named: Any) -> None:
        """Make the pool of connections with the certificate."""
        super().init_poolmanager(*positional, ssl_context=self._context, **named)
