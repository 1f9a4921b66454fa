"""Requests to one server: credentials, timeouts, and retries.

What is retried depends on the request and on how it failed, call by call, which `urllib3.Retry` cannot express: a
refused connection and a 503 always, a lost connection only where sending the request twice does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from orthanc_lab.client.arguments import check_seconds, credentials
from orthanc_lab.client.errors import ConnectionLostError, NotOrthancError, error_of, reading, reason_of, unreachable

__all__ = ["Transport"]

Kind = TypeVar("Kind")

_BUSY = 503
_FIRST_PAUSE = 0.1  # seconds before the first retry; doubled for each further one
_LONGEST_PAUSE = 5.0
_CONNECTIONS = 16  # kept open for threads that share the client


class Transport:
    """Sends requests to one Orthanc; threads may share it.

    Parameters
    ----------
    url
        Base address, ``http://localhost:8042``; credentials in it are used as `auth`.
    auth
        User name and password.
    timeout
        Seconds to wait for a connection, and between two parts of a response.
    verify
        False accepts any certificate; a path names the CA that signed the server's.
    retries
        Number of retries: for any request after a refused connection or "503 Service Unavailable";
        after a lost connection, only for requests that may be sent twice.
    session
        A session to use instead of a new one (for in-process servers and tests).
    observer
        Called with each response before anything else happens to it, in the thread of the request.

    Raises
    ------
    TypeError, ValueError
        If the address is not a valid URL, or `auth` not a user name and a password.

    Examples
    --------
    >>> client.transport.get("/changes", {"limit": 1})["Changes"][0]["ChangeType"]
    'NewInstance'
    """

    def __init__(
        self,
        url: str,
        auth: tuple[str, str] | None = None,
        *,
        timeout: float = 30.0,
        verify: bool | str | Path = True,
        retries: int = 4,
        session: requests.Session | None = None,
        observer: Callable[[requests.Response], None] | None = None,
    ) -> None:
        self.url, given = _address(url)
        if timeout is not None:  # as requests takes it
            check_seconds("timeout", timeout)
        self.timeout = timeout
        self._retries = retries
        self._is_own = session is None
        self._observer = observer
        self.session = session or _session(credentials(auth) or given, verify)

    def __repr__(self) -> str:
        return f"<Transport to {self.url}>"

    def send(
        self,
        method: str,
        path: str,
        *,
        again: bool | None = None,
        retries: int | None = None,
        timeout: float | None = None,
        stream: bool = False,
        **options: Any,
    ) -> requests.Response:
        """Send one request and return its response, if the status is below 400.

        Parameters
        ----------
        again
            Whether the request may be sent twice; by default GET, PUT and DELETE may.
        retries, timeout
            Override those of the client.

        Raises
        ------
        ValueError
            If the path does not begin with a slash.
        UnreachableError
            If no server answers, even after the retries.
        ResponseError
            For a status of 400 or above.
        """
        body = options.get("data")
        address = self._address_of(path)

        def once() -> requests.Response:
            if body is not None and hasattr(body, "seek"):
                body.seek(0)
            return self.session.request(method, address, timeout=timeout or self.timeout, stream=stream, **options)

        return self._insist(once, harmless=method != "POST" if again is None else again, retries=retries)

    def _address_of(self, path: str) -> str:
        if not str(path).startswith("/"):
            raise ValueError(f"A path begins with a slash, unlike {path!r}: transport.get('/studies')")
        return self.url + path

    def _insist(
        self, once: Callable[[], requests.Response], *, harmless: bool, retries: int | None = None
    ) -> requests.Response:
        pauses = self.pauses(retries)
        while True:
            try:
                response = once()
            except requests.RequestException as error:
                pause = next(pauses, None) if _is_worth_a_retry(error, harmless) else None
                if pause is None:
                    perhaps_done = not harmless and _was_lost(error)
                    # The chain of urllib3 is 200 lines that say less.
                    raise unreachable(self.url, error, perhaps_done=perhaps_done) from None
            else:
                if self._observer is not None:
                    self._observer(response)
                if response.status_code < 400:
                    return response
                pause = next(pauses, None) if response.status_code == _BUSY else None
                if pause is None:
                    raise error_of(response)
                pause = max(pause, _asked_pause(response))
                response.close()
            time.sleep(pause)

    def reader(self) -> Callable[[str], bytes]:
        """Return what GETs a path and returns the body, for many of them in a row.

        What all these requests have in common is prepared once: `requests` would take half of the time for it. Bodies
        are not compressed on their way.

        Raises
        ------
        ConnectionLostError
            By what is returned, if the connection breaks in the middle of a body.
        UnreachableError, ResponseError
            By what is returned, as by `send`.
        """
        like = requests.Request("GET", self.url, headers={"Accept-Encoding": "identity"})
        prepared = self.session.prepare_request(like)
        settings = self.session.merge_environment_settings(self.url, {}, True, None, None)

        def read(path: str) -> bytes:
            request = prepared.copy()
            request.url = self._address_of(path)
            response = self._insist(lambda: self.session.send(request, timeout=self.timeout, **settings), harmless=True)
            try:
                return bytes(response.raw.read())  # `content` puts it together from pieces of 10 kB
            except urllib3.exceptions.HTTPError as error:
                raise ConnectionLostError(self.url, f"GET {path}", error) from None
            finally:
                response.close()

        return read

    def variant(
        self,
        *,
        timeout: float | None = None,
        retries: int | None = None,
        observer: Callable[[requests.Response], None] | None = None,
    ) -> Transport:
        """Return a transport that shares the connections of this one, with what is given here in place of its own."""
        return Transport(
            self.url,
            timeout=timeout or self.timeout,
            retries=self._retries if retries is None else retries,
            session=self.session,
            observer=observer or self._observer,
        )

    def pauses(self, retries: int | None = None) -> Iterator[float]:
        """Return the seconds to wait before each retry; `retries` overrides those of the client."""
        return _pauses(self._retries if retries is None else retries)

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Send one request and return its JSON.

        Raises
        ------
        NotOrthancError
            If the response is not JSON.
        """
        response = self.send(method, path, **options)
        try:
            return response.json()
        except (ValueError, RecursionError):
            kind = response.headers.get("Content-Type", "") or "a body without a Content-Type"
            raise NotOrthancError(f"{method} {response.request.url}", kind) from None

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET a path and return its JSON."""
        return self.json("GET", path, params=params)

    def object(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """GET a path and return its JSON.

        Raises
        ------
        ClientError
            If it is no object.
        """
        return self._get_as(dict, "object", path, params)

    def array(self, path: str, params: Mapping[str, Any] | None = None) -> list[Any]:
        """GET a path and return its JSON.

        Raises
        ------
        ClientError
            If it is no array.
        """
        return self._get_as(list, "array", path, params)

    def _get_as(self, kind: type[Kind], name: str, path: str, params: Mapping[str, Any] | None) -> Kind:
        answer = self.get(path, params)
        with reading(self.url, f"an answer to GET {path}"):
            if isinstance(answer, kind):
                return answer
            raise TypeError(f"it is no {name} but {answer!r:.80}")

    @contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[requests.Response]:
        """Send one request and yield its response with the body unread."""
        response = self.send(method, path, stream=True, **options)
        try:
            yield response
        finally:
            response.close()

    def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            self.session.close()


def _address(url: str) -> tuple[str, tuple[str, str] | None]:
    if not isinstance(url, str):
        hint = "; of a server: Client.from_server(server)" if hasattr(url, "session") else ""
        raise TypeError(f"{url!r} is not a server address; it should look like 'http://localhost:8042'{hint}")
    parts = urlsplit(url)
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:  # the port is not a number, or too large
        usable = False
    if not usable:
        raise ValueError(f"{url!r} is not a valid server address; it should look like http://localhost:8042")
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, place, parts.path, "", "")).rstrip("/"), auth


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        try:
            urlsplit(target or "")
        except ValueError as error:  # which requests does not tell from a fault of the caller
            raise requests.exceptions.InvalidURL(f"redirected to {target!r}: {error}") from None
        return target


def _session(auth: tuple[str, str] | None, verify: bool | str | Path) -> requests.Session:
    session = _Session()
    session.auth = auth
    session.verify = str(verify) if isinstance(verify, Path) else verify
    session.trust_env = False  # ignore .netrc and proxy variables: connect to exactly this address
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
    return session


def _pauses(count: int) -> Iterator[float]:
    for number in range(count):
        yield min(_FIRST_PAUSE * 2**number, _LONGEST_PAUSE)


def _is_worth_a_retry(error: requests.RequestException, harmless: bool) -> bool:
    if isinstance(error, (requests.exceptions.SSLError, requests.ReadTimeout)):
        return False  # a retry would fail in the same way, or take as long again
    if isinstance(error, requests.ConnectTimeout):
        return False
    if isinstance(reason_of(error), NewConnectionError):
        return True  # nothing has been sent yet
    return harmless and _was_lost(error)


def _was_lost(error: requests.RequestException) -> bool:
    """Whether a connection broke that had been there."""
    if isinstance(error, (requests.exceptions.SSLError, requests.Timeout)):
        return False
    if isinstance(reason_of(error), NewConnectionError):
        return False
    return isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError))


def _asked_pause(response: requests.Response) -> float:
    """Return the number of seconds in ``Retry-After``, up to a limit."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_PAUSE) if text.isdecimal() else 0.0
