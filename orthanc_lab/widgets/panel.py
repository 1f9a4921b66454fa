"""What all panels have: a look at the server at an interval while they are seen, and actions whose errors are said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from html import escape
from typing import Any, ClassVar

import ipywidgets

from orthanc_lab.client import Client, ClientError, UnreachableError
from orthanc_lab.frames.background import BackgroundLooks
from orthanc_lab.protocol.ports import Clock, SystemClock
from orthanc_lab.widgets.closing import close_below
from orthanc_lab.widgets.elements.status import Status
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["Panel"]

_PATIENCE = 5.0  # seconds that a look waits for its answer


class Panel(ipywidgets.VBox):
    """A part of a notebook that shows a server as it is now.

    A panel looks once when it is made (its constructor ends with `refresh`). From then on it looks every `interval`
    seconds while a browser shows it (or between `start` and `stop`), so that a panel which nobody sees costs nothing.

    Looks go on while a cell runs. What a person presses then waits for the end of the cell, unless the kernel hears
    it in a subshell.

    Subclasses have a `title`, put their controls into `body`, and give `poll`; they start what a person asks for
    with `act`.

    Parameters
    ----------
    client
        The server to show.
    interval
        Seconds between two looks.
    clock
        The time; a test moves it by hand.

    Attributes
    ----------
    client
        The client for actions.
    poll_client
        The same without retries, for looks: a server that is away is said at once.
    body
        The box of the controls.
    status
        The line below them.
    is_in_front
        False for one in a tab that is not in view: it does not look then.
    is_away
        Whether the server did not answer the last look; what is shown is older, and drawn paler.

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
        self.client = client
        self.poll_client = client.without_retries(_PATIENCE)
        self.interval = interval
        self.clock = clock or SystemClock()
        self.status = Status(self.clock)
        self.body = ipywidgets.VBox()
        self.is_away = False
        self._is_in_front = True
        self._trouble = ""  # of the last look
        self._turn = threading.RLock()  # one look or one showing at a time: an older answer never covers a newer one
        self._switch = threading.Lock()
        self._looks: BackgroundLooks | None = None
        self._queue: SerialQueue[None] = SerialQueue()
        super().__init__([self.body, self.status])
        self.status.observe(lambda change: self._follow(), "is_seen")

    def poll(self) -> None:
        """Ask the server (by `poll_client`) and show the answer; subclasses give it.

        Raises
        ------
        ClientError
            If the server does not answer, or refuses; the panel says it and looks again.
        """
        raise NotImplementedError

    def snapshot(self) -> str:
        """Return HTML of what is shown, for where no widget is drawn: a saved notebook on a web page."""
        return f"<p><strong>{escape(self.title)}</strong> of {escape(self.client.url)}</p>"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str] | None:
        bundle: dict[str, str] | None = super()._repr_mimebundle_(**options)
        return bundle and {**bundle, "text/html": self.snapshot(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<{self.title} of {self.client.url}>"

    def refresh(self) -> None:
        """Look now; an error is said in the status line."""
        with self._turn:
            try:
                self.poll()
            except UnreachableError as error:
                self._say_trouble(f"{error}\nLooking again every {self.interval:g} s.")
                self._set_away(True)
            except ClientError as error:
                self._say_trouble(str(error))
            except Exception as error:  # a fault of the panel must be seen, and must not end its looks
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
        """Show that the server `is_away`, or is back; subclasses also disable what cannot be done meanwhile."""
        (self.body.add_class if self.is_away else self.body.remove_class)("orthanc-stale")

    def _look_at(self, time: datetime, missed: bool) -> None:
        self.status.forget_silent_views()
        if not missed and self.is_live:
            self.refresh()

    def act(self, doing: str, action: Callable[[], str | None]) -> Future[None]:
        """Do something in the background, one after the other; then look.

        Parameters
        ----------
        doing
            What is done, for the status line: ``"Pausing 2 jobs"``.
        action
            Returns what to say at its end, None to say nothing.

        Returns
        -------
        Future
            Done when the outcome is shown; it never raises what the status line has said.
        """
        self.status.say(f"{doing} …")
        return self._queue.submit(partial(self._perform, doing, action))

    def _perform(self, doing: str, action: Callable[[], str | None]) -> None:
        try:
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

    @property
    def is_live(self) -> bool:
        """Whether it looks by itself."""
        return self._looks is not None

    def start(self) -> None:
        """Look every `interval` seconds, until `stop`."""
        with self._switch:
            if self._looks is None:
                self._looks = BackgroundLooks(self._look_at, self.interval, SystemClock(), threading.Event.wait)
                self._looks.start()

    def stop(self) -> None:
        """Look no more by itself; a look that is going on is not waited for."""
        with self._switch:
            looks, self._looks = self._looks, None
            if looks is not None:
                looks.end()

    def close(self) -> None:
        """Stop, and remove it from the notebook."""
        self.stop()
        self._queue.close()
        close_below(self)
        super().close()

    @property
    def is_in_front(self) -> bool:
        """Whether it is in view where a browser shows it: False in a tab in the background."""
        return self._is_in_front

    @is_in_front.setter
    def is_in_front(self, is_in_front: bool) -> None:
        self._is_in_front = is_in_front
        self._follow()

    def _follow(self) -> None:
        if self.status.is_seen and self.is_in_front:
            self.start()
        else:
            self.stop()
