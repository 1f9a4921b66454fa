"""What a web page of somebody else makes a browser send, and what is refused of it.

A browser sends what any page asks for, to this machine too, with the passwords that it knows. Only browsers send the
headers that are looked at here: API clients and reverse proxies notice nothing.
"""

from __future__ import annotations

import ipaddress
import platform
from collections.abc import Iterable, Mapping

__all__ = ["FOREIGN_PAGE", "ForeignPages"]

FOREIGN_PAGE = "A page of another site may not change data; HttpAllowedOrigins can allow its origin"
"""Why a request is refused."""

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_FROM_HERE = ("same-origin", "none")  # Sec-Fetch-Site: by this server's own page, or by the user


class ForeignPages:
    """Tells requests of other sites' pages from all others.

    Parameters
    ----------
    allowed
        Origins, such as ``https://viewer.example``, that may do everything; ``*`` for all.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)
        self._allows_all = "*" in self._allowed
        machine = platform.node().lower()
        self._names = {machine, machine.partition(".")[0], f"{machine.partition('.')[0]}.local", "localhost"}
        self._names |= {_split(origin.partition("://")[2])[0] for origin in self._allowed}

    def may_write(self, env: Mapping[str, str]) -> bool:
        """Whether a request that changes something comes from no page, from our own, or from one that is allowed."""
        site, origin = env.get("HTTP_SEC_FETCH_SITE"), env.get("HTTP_ORIGIN")
        if (site is None and origin is None) or self._allows_all:
            return True
        if origin is not None and origin.lower() in self._allowed:
            return True
        if site is not None:  # it knows better than we do, behind a proxy
            return site in _FROM_HERE
        return origin is not None and self._is_own(origin.lower(), env)

    def is_our_name(self, env: Mapping[str, str]) -> bool:
        """Whether ``Host`` may be a name of this server: a page whose name was made to point here gives its own.

        With another port than ours, the name is that of a proxy.
        """
        host = env.get("HTTP_HOST", "")
        if self._allows_all:
            return True
        name, port = _split(host.lower())
        ours = env["SERVER_PORT"]
        return (port or _DEFAULT_PORTS[env["wsgi.url_scheme"]]) != ours or self._is_of_this_machine(name)

    def _is_of_this_machine(self, name: str) -> bool:
        name = name.removesuffix(".")
        return not name or name in self._names or name.endswith(".localhost") or _is_address(name)

    def _is_own(self, origin: str, env: Mapping[str, str]) -> bool:
        scheme, separator, authority = origin.partition("://")
        if not separator:
            return False  # "null": a page without an origin
        name, port = _split(authority)
        port = port or _DEFAULT_PORTS.get(scheme, "")
        # No page can add X-Forwarded-Host to what it sends.
        for host in (env.get("HTTP_HOST", ""), env.get("HTTP_X_FORWARDED_HOST", "")):
            our_name, our_port = _split(host.lower())
            # Some proxies leave the port out; who connects to us directly leaves out the default one alone.
            if not our_port and env["SERVER_PORT"] not in _DEFAULT_PORTS.values():
                our_port = port
            if (our_name, our_port or _DEFAULT_PORTS.get(scheme, "")) == (name, port):
                return True
        return False


def _split(authority: str) -> tuple[str, str]:
    """Return name and port of ``name:port``, ``[address]:port``; the port may be missing."""
    if authority.startswith("["):
        name, _, rest = authority[1:].partition("]")
        return name, rest.removeprefix(":")
    name, _, port = authority.partition(":")
    return name, port


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
