"""Starting a server inside another program: a notebook, a test, a script."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.ports import Clock, Identifiers, SeededIdentifiers, SystemClock, SystemIdentifiers
from orthanc_lab.protocol.seeded import SeededExecutor
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.server.embedding.in_process import InProcessServer
from orthanc_lab.server.environment import Environment, EnvironmentWrapper
from orthanc_lab.server.log_lines import log_errors_only
from orthanc_lab.server.options.names import check_names, warnings_of_names
from orthanc_lab.server.options.option_table import OPTIONS, without_unset
from orthanc_lab.storage.lock import Lock, lock_folder, no_lock

if TYPE_CHECKING:
    from orthanc_lab.extensions.extension import Extension
    from orthanc_lab.server.embedding.child_server import ChildServer
    from orthanc_lab.server.embedding.embedded_server import EmbeddedServer

__all__ = ["in_process", "serve"]

_log = logging.getLogger("orthanc_lab")


@overload
def serve(
    options: Mapping[str, Any] | None = ...,
    *,
    folder: str | Path | None = ...,
    process: Literal[False] = ...,
    load_jobs: bool = ...,
    seed: int | None = ...,
    clock: Clock | None = ...,
    identifiers: Identifiers | None = ...,
    faults: EnvironmentWrapper | None = ...,
    extensions: Iterable[Any] = ...,
    **named: Any,
) -> EmbeddedServer: ...
@overload
def serve(
    options: Mapping[str, Any] | None = ...,
    *,
    folder: str | Path | None = ...,
    process: Literal[True],
    load_jobs: bool = ...,
    seed: int | None = ...,
    extensions: Iterable[Any] = ...,
    **named: Any,
) -> ChildServer: ...
def serve(
    options: Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
    process: bool = False,
    load_jobs: bool = True,
    seed: int | None = None,
    clock: Clock | None = None,
    identifiers: Identifiers | None = None,
    faults: EnvironmentWrapper | None = None,
    extensions: Iterable[Any] = (),
    **named: Any,
) -> EmbeddedServer | ChildServer:
    """Start a server; it is a context manager that stops it.

    Parameters
    ----------
    options, **named
        Options of Orthanc's configuration, ``serve(StableAge=1)``. Without ``HttpPort`` a free port is taken;
        relative paths start at the working directory.
    folder
        Where the files are kept; None for a temporary folder that is removed at the end.
    process
        True runs it in a process of its own, which can be killed and ends with this program.
    load_jobs
        False forgets the jobs that are on disk.
    seed
        Makes the identifiers the same at every run.
    clock, identifiers
        Replace the time and the random source of the machine (not with `process`).
    faults
        What can go wrong: `orthanc_lab.testing.faults.Faults` (not with `process`).
    extensions
        Kinds of job and routes (see `orthanc_lab.extensions`): classes, functions below ``@route``, an `Extension`, or
        the names that the option ``Extensions`` takes. With `process`, those that a module or a file defines.

    Raises
    ------
    OrthancError
        For options that Orthanc refuses, a folder in use, a port in use, extensions that do not fit.
    TypeError
        For a name that is no option, and what is no extension, no clock or no faults.
    ValueError
        With `process`: for what cannot be handed to another process.

    Examples
    --------
    >>> with serve(Name="Example") as server:
    ...     server.session.get(f"{server.url}/system").json()["Name"]
    'Example'
    """
    # The HTTP server needs modules that are not there on every platform: only for those who ask for it.
    from orthanc_lab.server.embedding.child_server import ChildServer  # noqa: PLC0415
    from orthanc_lab.server.embedding.embedded_server import EmbeddedServer  # noqa: PLC0415

    log_errors_only()
    merged = _merged(options, named)
    place = _place(folder, merged)
    if process:
        if clock is not None or identifiers is not None or faults is not None:
            raise ValueError("A clock, identifiers and faults cannot be handed to another process; a seed can")
        return ChildServer(_with_references(merged, extensions), place, load_jobs=load_jobs, seed=seed)
    environment = _environment(seed, clock, identifiers, extensions=extensions, faults=faults)
    return EmbeddedServer(merged, place, environment, load_jobs)


def in_process(
    options: Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
    seed: int | None = None,
    clock: Clock | None = None,
    identifiers: Identifiers | None = None,
    executor: Literal["threads", "inline"] | Executor = "threads",
    faults: EnvironmentWrapper | None = None,
    extensions: Iterable[Any] = (),
    **named: Any,
) -> InProcessServer:
    """Return the same server without a socket: its `session` calls the application directly.

    Nothing listens on the network, unless ``DicomServerEnabled=True`` asks for DICOM (on threads): then it takes a free
    port, as `serve` does. An interrupt (Ctrl-C, the stop button of a notebook) comes once the request in progress is
    answered, a second one at once.

    Parameters are those of `serve`, and one more.

    Parameters
    ----------
    executor
        What runs jobs and other work that no request waits for: ``"threads"``, or ``"inline"`` to do without any
        thread. Then jobs go on for a moment after each request, and while a request waits for one. With what
        `orthanc_lab.seeded` returns nothing runs by itself: see `InProcessServer.step`. The clock is that of the
        executor then, and the identifiers follow from the seed.

    Examples
    --------
    >>> with in_process() as server:
    ...     server.session.get("http://orthanc/studies").json()
    []
    """
    log_errors_only()
    merged = _merged(options, named)
    if isinstance(executor, SeededExecutor):
        if clock not in (None, executor.clock):
            raise ValueError("The clock of a seeded executor is its own: seeded(7, clock=ManualClock())")
        clock, seed = executor.clock, executor.seed if seed is None else seed
    environment = _environment(seed, clock, identifiers, executor, extensions=extensions, faults=faults)
    return InProcessServer(merged, _place(folder, merged), environment)


def _merged(options: Mapping[str, Any] | None, named: Mapping[str, Any]) -> dict[str, Any]:
    # In a file, relative paths start at the file; here there is none, and they start at the working directory.
    for given in (options or {}, named):
        check_names(given)
    merged = without_unset({**(options or {}), **named})
    for warning in warnings_of_names(merged):
        _log.warning("%s", warning)
    for name, option in OPTIONS.items():
        if option.is_path and isinstance(merged.get(name), (str, Path)) and merged[name]:
            merged[name] = str(Path(merged[name]).absolute())
    return merged


def _environment(
    seed: int | None,
    clock: Clock | None,
    identifiers: Identifiers | None,
    executor: Literal["threads", "inline"] | Executor = "threads",
    *,
    extensions: Iterable[Any],
    faults: EnvironmentWrapper | None,
) -> Environment:
    environment = replace(_plain_environment(seed, clock, identifiers, executor), extensions=_loaded(extensions))
    if faults is None:
        return environment
    _check_object(faults, "around", "faults must be an orthanc_lab.testing.faults.Faults()")
    return faults.around(environment)


def _check_object(given: object, method: str, words: str) -> None:
    """Refuse what lacks the method that is needed, and a class in place of an object."""
    if isinstance(given, type) or not hasattr(given, method):
        raise TypeError(f"{words}, not {given!r}")


def _plain_environment(
    seed: int | None,
    clock: Clock | None,
    identifiers: Identifiers | None,
    executor: Literal["threads", "inline"] | Executor,
) -> Environment:
    if identifiers is None:
        identifiers = SystemIdentifiers() if seed is None else SeededIdentifiers(seed)
    clock = SystemClock() if clock is None else clock
    _check_object(clock, "monotonic", "clock must be a Clock, such as orthanc_lab.ManualClock()")
    if executor == "threads":
        return Environment(clock, identifiers, ThreadExecutor(clock))
    if executor == "inline":
        return Environment(clock, identifiers, InlineExecutor(clock), lock=_lock())
    if isinstance(executor, str) or not hasattr(executor, "spawn"):
        raise ValueError(f'The executor must be "threads", "inline" or an Executor, not {executor!r}')
    return Environment(clock, identifiers, executor, lock=_lock())


def _loaded(extensions: Iterable[Any]) -> tuple[Extension, ...]:
    if extensions == ():
        return ()
    from orthanc_lab.extensions.loading import load_all  # noqa: PLC0415 - most servers have no extensions

    return load_all(extensions, Path.cwd())


def _with_references(options: Mapping[str, Any], extensions: Iterable[Any]) -> dict[str, Any]:
    """Return options with the names by which the child process loads extensions."""
    if extensions == ():
        return dict(options)
    from orthanc_lab.extensions.loading import (  # noqa: PLC0415 - most servers have no extensions
        listed,
        load_all,
        reference_of,
    )

    folder, given = Path.cwd(), listed(extensions)
    load_all(given, folder)  # what is wrong with them is told here
    references = [reference_of(item, folder) for item in given]
    return {**options, "Extensions": [*options.get("Extensions", ()), *references]}


def _lock() -> Lock:
    """Return how an index gets its owner; where the platform has no locks, there is one process only."""
    try:
        import fcntl  # noqa: F401, PLC0415
    except ImportError:
        return no_lock
    return lock_folder


def _place(folder: str | Path | None, options: Mapping[str, Any]) -> Path | None:
    given = options.get("StorageDirectory") if folder is None else folder
    return Path(given).absolute() if isinstance(given, (str, Path)) else None
