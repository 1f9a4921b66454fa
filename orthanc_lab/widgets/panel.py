"""The base class of all panels: polls the server while the panel is visible, and runs actions that report errors."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from html import escape
from typing import Any, ClassVar, Self

import ipywidgets

from orthanc_lab.client import Client, ClientError, UnreachableError
from orthanc_lab.frames.background_polling import BackgroundPolling
from orthanc_lab.frames.polling import check_interval
from orthanc_lab.protocol.ports import Clock, SystemClock
from orthanc_lab.widgets.closing import close_below
from orthanc_lab.widgets.code.code_log import CodeLog
from orthanc_lab.widgets.controlled_server import ControlledServer
from orthanc_lab.widgets.elements.code_view import CodeView
from orthanc_lab.widgets.elements.status import Status
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["Panel"]

_POLL_TIMEOUT = 5.0  # seconds
_MOST_NEWS = 3  # that wait for the end of an action


class Panel(ipywidgets.VBox):
    """A part of a notebook that shows the current state of a server.

    A panel polls once when it is made (its constructor ends with `refresh`). From then on it polls every `interval`
    seconds while a browser shows it (or between `start` and `stop`), so that a hidden panel costs nothing.

    Polling continues while a cell runs. Clicks made then are handled after the end of the cell, unless the kernel
    handles them in a subshell.

    Subclasses have a `title`, put their controls into `body`, and implement `poll`; they carry out a user's actions
    with `act`.

    Parameters
    ----------
    client
        A client for the server to show.
    interval
        Seconds between two polls.
    clock
        The source of the time; tests pass one that they set by hand.

    Raises
    ------
    TypeError
        If it is made with something other than a client, or the interval is no number.
    ValueError
        For an interval that is not positive.

    Attributes
    ----------
    client
        The client for actions.
    poll_client
        The same client without retries, for `poll`: an unreachable server is reported at once.
    body
        The box that holds the controls.
    status
        The status line below the controls.
    code
        What the last action did, as Python and as curl. Actions use ``code.client``: what is shown is what was run.
    is_in_front
        False for a panel in a hidden tab, which does not poll.
    is_away
        Whether the server did not answer the last poll; what is shown may then be out of date, and is marked.

    Examples
    --------
    >>> class StudyCount(Panel):
    ...     title = "Studies"
    ...
    ...     def __init__(self, client, **options):
    ...         super().__init__(client, **options)
    ...         self.count = ipywidgets.IntText(description="Studies", disabled=True)
    ...         self.body.children = [self.count]
    ...         self.refresh()
    ...
    ...     def poll(self):
    ...         self.count.value = self.poll_client.statistics["CountStudies"]
    >>> StudyCount(client).count.value
    1
    """

    title: ClassVar[str] = "Panel"

    def __init__(self, client: Client, *, interval: float = 1.0, clock: Clock | None = None) -> None:
        if not isinstance(client, Client):
            needed = "orthanc_lab.Client(url) or orthanc_lab.Client.from_server(server)"
            raise TypeError(f"{type(self).__name__} needs a Client, {needed}, not {type(client).__name__}")
        check_interval(interval)
        self.client = client
        self.poll_client = client.without_retries(_POLL_TIMEOUT)
        self.interval = interval
        self.clock = clock or SystemClock()
        self.status = Status(self.clock)
        self.code = CodeLog(client)
        self.code_view = CodeView()
        self.body = ipywidgets.VBox()
        self.is_away = False
        self._is_in_front = True
        self._trouble = ""  # of the last poll
        self._turn = threading.RLock()  # one poll or one update at a time: an older answer never replaces a newer one
        self._switch = threading.Lock()
        self._telling = threading.Lock()
        self._actions = 0  # that have not ended
        self._news: deque[tuple[str, bool]] = deque(maxlen=_MOST_NEWS)  # for the end of the last of them
        self._polling: BackgroundPolling | None = None
        self._queue: SerialQueue[None] = SerialQueue()
        super().__init__([self.body, self.status, self.code_view])
        self.add_class("orthanc-panel")
        self.status.observe(lambda change: self._follow(), "is_seen")

    @classmethod
    def in_dashboard(cls, client: Client, server: ControlledServer | None, **options: Any) -> Self:
        """Return the panel for a dashboard; subclasses that need more than a client override this.

        Parameters
        ----------
        client
            A client for the server to show.
        server
            The server itself, if this program started it.
        """
        return cls(client, **options)

    def poll(self) -> None:
        """Query the server with `poll_client` and show the answer; subclasses implement this.

        Raises
        ------
        ClientError
            If the server does not answer, or refuses; the panel reports it and polls again later.
        """
        raise NotImplementedError

    def snapshot(self) -> str:
        """Return what is shown as HTML, for places that cannot show widgets, such as a saved notebook on a web page."""
        return f"<p><strong>{escape(self.title)}</strong> of {escape(self.client.url)}</p>"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str] | None:
        bundle: dict[str, str] | None = super()._repr_mimebundle_(**options)
        return bundle and {**bundle, "text/html": self.snapshot(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<{self.title} of {self.client.url}>"

    def refresh(self) -> None:
        """Poll now; an error is reported in the status line."""
        with self._turn:
            try:
                self.poll()
            except UnreachableError as error:
                self._say_trouble(f"{error}\nTrying again every {self.interval:g} s.")
                self._set_away(True)
            except ClientError as error:
                self._say_trouble(str(error))
            except Exception as error:  # a fault in the panel must be visible, and must not end its polling
                self._say_trouble(f"This panel failed: {type(error).__name__}: {error}")
                self.log.exception("A panel failed")
            else:
                if self._trouble and self.status.text == self._trouble:
                    self.status.say("The server is back." if self.is_away else "")
                self._trouble = ""
                self._set_away(False)

    def _say_trouble(self, words: str) -> None:
        self._trouble = words
        self.status.warn(words)

    def _set_away(self, is_away: bool) -> None:
        if self.is_away != is_away:
            self.is_away = is_away
            self.show_away()

    def show_away(self) -> None:
        """Show that the server `is_away`, or is back; subclasses also disable what cannot be used meanwhile."""
        (self.body.add_class if self.is_away else self.body.remove_class)("orthanc-stale")

    def _poll_at(self, time: datetime, missed: bool) -> None:
        self.status.drop_silent_views()
        if not missed and self.is_live:
            self.refresh()

    def act(self, doing: str, action: Callable[[], str | None]) -> Future[None]:
        """Run an action in the background, after any earlier ones; then poll.

        Parameters
        ----------
        doing
            What the action does, for the status line: ``"Pausing 2 jobs"``.
        action
            Returns a final message, or None for no message.

        Returns
        -------
        Future
            Done once the outcome is shown; errors that the status line reports are not raised.

        Raises
        ------
        RuntimeError
            If the system has no thread left: the action is not run.
        """
        with self._telling:
            self._actions += 1
        self.status.say(f"{doing} …")
        try:
            return self._queue.submit(partial(self._perform, doing, action))
        except RuntimeError as error:
            self.status.warn(f"{doing}: {error}")
            self._end_action()
            raise

    @contextmanager
    def coding(self, log: CodeLog | None = None) -> Iterator[None]:
        """Show the code of what is done inside, at its end; `act` does so by itself.

        Parameters
        ----------
        log
            Where it is noted, if not in `code`: for what is done beside actions.
        """
        log = log or self.code
        log.begin()
        try:
            yield
        finally:
            self.code_view.python, self.code_view.curl = log.python, log.curl

    def _perform(self, doing: str, action: Callable[[], str | None]) -> None:
        try:
            with self.coding():
                words = action()
        except (ClientError, OSError, ValueError) as error:
            self.refresh()
            self.status.warn(f"{doing}: {error}")
        except Exception as error:
            self.status.warn(f"{doing}: this panel failed: {type(error).__name__}: {error}")
            self.log.exception("A panel failed")
        else:
            self.status.say(words or "")
            self.refresh()
        finally:
            self._end_action()

    def tell(self, words: str, *, is_warning: bool = False) -> None:
        """Say what a poll has found: at once, or after the actions in progress, whose own words would replace it."""
        with self._telling:
            self._news.append((words, is_warning))
            if not self._actions:
                self._tell_news([])

    def _end_action(self) -> None:
        with self._telling:
            self._actions -= 1
            if not self._actions and self._news:
                warning = [(self.status.text, True)] if self.status.is_warning else []  # of the action: it stays
                self._tell_news(warning)

    def _tell_news(self, before: list[tuple[str, bool]]) -> None:
        told = [*before, *self._news]
        self._news.clear()
        say = self.status.warn if any(is_warning for _, is_warning in told) else self.status.say
        say("\n".join(words for words, _ in told))

    @property
    def is_live(self) -> bool:
        """Whether it polls at an interval."""
        return self._polling is not None

    def start(self) -> None:
        """Poll every `interval` seconds, until `stop`."""
        with self._switch:
            if self._polling is None:
                polling = BackgroundPolling(self._poll_at, self.interval, SystemClock(), threading.Event.wait)
                self._polling = polling  # before it is started: a panel that is not live polls nothing
                try:
                    polling.start()
                except BaseException:
                    self._polling = None
                    raise

    def stop(self) -> None:
        """Stop polling, without waiting for a poll that is in progress."""
        with self._switch:
            polling, self._polling = self._polling, None
            if polling is not None:
                polling.end()

    def close(self) -> None:
        """Stop polling, and remove the panel from the notebook."""
        self.stop()
        self._queue.close()
        close_below(self)
        super().close()

    @property
    def is_in_front(self) -> bool:
        """Whether it is visible wherever a browser shows it: False in a hidden tab."""
        return self._is_in_front

    @is_in_front.setter
    def is_in_front(self, is_in_front: bool) -> None:
        self._is_in_front = is_in_front
        self._follow()

    def __del__(self) -> None:
        with suppress(AttributeError):  # of a panel whose constructor failed: it has nothing to close
            super().__del__()

    def _follow(self) -> None:
        if self.status.is_seen and self.is_in_front:
            self.start()
        else:
            self.stop()
