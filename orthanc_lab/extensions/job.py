"""The class from which kinds of job are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from orthanc_lab.extensions.calls import Orthanc
from orthanc_lab.jobs.ports import StopReason

__all__ = ["Job", "KeepOutput"]

KeepOutput = Callable[[str, bytes, str, str], None]
"""Takes an output: its key, its content, its type, the name of the file that is downloaded."""


class Job:
    """A kind of job: a class that works in steps, each of which can be the last one before a pause or a crash.

    The server adds the rest: the route that submits it, synchronously or not, priorities, pausing, cancelling,
    progress, the list of jobs on disk. After each step it saves `state`; a job that was killed goes on from there, in
    a new object: at most the step that was in progress is done again.

    A client submits it by ``POST`` to its `route`, with a JSON object of parameters; ``Synchronous``,
    ``Asynchronous`` and ``Priority`` are the server's.

    Parameters
    ----------
    orthanc
        The server.
    parameters
        What the client asks for: the fields of the body, and those of the path.

    Attributes
    ----------
    type
        The field ``Type`` of the jobs, unique on a server; the name of the class if it is not set.
    route
        Where it is submitted, ``/studies/{id}/count``; ``/extensions/TYPE`` if it is not set.
    writes
        False keeps the route on a server with ``ReadOnly``.
    step_timeout
        Seconds after which a step that has not returned makes the job fail.
    save_every_step
        False saves the state from time to time only, which is faster for a great many short steps: after a crash,
        some of the last ones are done again.
    orthanc
        The server, as its REST API.
    parameters
        What the client asks for; it does not change.
    state
        How far the job is: JSON values, saved after each step.
    content
        What clients see as ``Content``.
    progress
        The part done, 0 to 1.

    Examples
    --------
    >>> import orthanc_lab
    >>> class Countdown(Job):
    ...     route = "/countdown"
    ...
    ...     def prepare(self):
    ...         self.state["left"] = int(self.parameters["From"])
    ...
    ...     def step(self):
    ...         self.state["left"] -= 1
    ...         self.content["Left"] = self.state["left"]
    ...         self.progress = 1 - self.state["left"] / self.parameters["From"]
    ...         return self.state["left"] > 0
    >>> with orthanc_lab.in_process(extensions=[Countdown]) as server:
    ...     server.session.post(f"{server.url}/countdown", json={"From": 3}).json()
    {'Left': 0}
    """

    type: ClassVar[str] = ""
    route: ClassVar[str] = ""
    writes: ClassVar[bool] = True
    step_timeout: ClassVar[float] = 60.0
    save_every_step: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "type" not in cls.__dict__:
            cls.type = cls.__name__
        if "route" not in cls.__dict__:
            cls.route = f"/extensions/{cls.type}"

    def __init__(self, orthanc: Orthanc, parameters: dict[str, Any]) -> None:
        self.orthanc = orthanc
        self.parameters = parameters
        self.state: dict[str, Any] = {}
        self.content: dict[str, Any] = {}
        self.progress = 0.0
        self._keep_output: KeepOutput = _no_output_yet

    def prepare(self) -> None:
        """Check the parameters and set `state` as the first step needs it; called once, before the job is submitted.

        Raises
        ------
        OrthancError
            The client's request is answered by it, and there is no job.
        """

    def start(self) -> None:
        """Open what the steps need; called before the first step, and again after a pause or a restart."""

    def step(self) -> bool:
        """Do the next piece of work; return True while more remains.

        Raises
        ------
        OrthancError
            The job fails with this code and these details; after any other exception with code 1 and its text.
        """
        raise NotImplementedError

    def stop(self, reason: StopReason) -> None:
        """Close what `start` opened; called at the end, and at a pause or when the server stops."""

    def output(
        self, key: str, content: bytes, content_type: str = "application/octet-stream", filename: str = ""
    ) -> None:
        """Leave a file for clients; they download it at ``/jobs/ID/KEY`` once the job has succeeded.

        The server keeps the outputs of the last jobs that had some (``MediaArchiveSize`` of them).

        Parameters
        ----------
        key
            The last part of its address; each job has a key once.
        content
            The bytes.
        content_type
            Their media type.
        filename
            The name by which it is saved; the key if there is none.

        Raises
        ------
        OrthancError
            1 for a key that is no name or was used, 19 or 14 if it cannot be written.
        """
        self._keep_output(key, content, content_type, filename or key)


def _no_output_yet(key: str, content: bytes, content_type: str, filename: str) -> None:
    raise RuntimeError("Outputs are made by steps")
