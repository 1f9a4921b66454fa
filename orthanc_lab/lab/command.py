"""``orthanc-lab lab``: a server, sample studies and the notebooks in JupyterLab."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from orthanc_lab.client.client import Client
from orthanc_lab.client.errors import ClientError
from orthanc_lab.lab.events import Events, Happening
from orthanc_lab.lab.jupyter import Jupyter, is_free, missing_packages
from orthanc_lab.lab.notebooks import Lessons, copy_notebooks, is_checkout, packaged_notebooks
from orthanc_lab.lab.own_server import DEFAULT_PORT, OwnServer, ServerChoice
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.embedding.remote import LAB_VARIABLE, VARIABLE

__all__ = ["main"]

_FOLDER = Path("~/orthanc-lab-notebooks")
_DESCRIPTION = f"""\
Start a server on sample studies and open JupyterLab in the folder of the notebooks; Ctrl-C ends both.
JupyterLab listens on the loopback interface alone, and so does the server unless a configuration file allows others.

The lessons start servers of their own, where nothing can be broken. Notebooks find the server of the lab in the
environment variable {LAB_VARIABLE}. With --url, {VARIABLE} is set, too, and the lessons run on that Orthanc."""


class _LabError(Exception):
    """Why the lab cannot start, in words for the person at the terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the lab until it is ended; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        return _run(chosen)
    except _LabError as error:
        print(f"orthanc-lab lab: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orthanc-lab lab", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    own = parser.add_argument_group("the server")
    own.add_argument("configuration", nargs="?", type=Path, help="configuration file or folder, as 'serve' takes it")
    own.add_argument("--no-samples", action="store_true", help="do not store the sample studies in an empty server")
    own.add_argument(
        "--storage", type=Path, help="keep the files here (default: a temporary folder, removed at the end)"
    )
    own.add_argument("--port", type=int, help=f"HTTP port (default {DEFAULT_PORT}, if that is taken a free one)")
    own.add_argument(
        "--url", default=os.environ.get(VARIABLE),
        help=f"use the Orthanc at this address, http://user:password@host:8042, and start none (default: {VARIABLE})",
    )  # fmt: skip
    lab = parser.add_argument_group("JupyterLab")
    lab.add_argument(
        "--folder", type=Path,
        help="folder of the notebooks; those that it lacks are copied there, none is overwritten "
        f"(default: notebooks/ of a checkout, else {_FOLDER})",
    )  # fmt: skip
    lab.add_argument("--lab-port", type=int, help="port of JupyterLab (default 8888, if that is taken one of the next)")
    lab.add_argument("--no-browser", action="store_true", help="do not open a browser")
    lab.add_argument("--once", action="store_true", help="end as soon as both answer: a check of the installation")
    return parser


def _run(chosen: argparse.Namespace) -> int:
    missing = missing_packages()
    if missing:
        raise _LabError(f"{', '.join(missing)} missing. Install: pip install 'orthanc-lab[notebook]'")
    if chosen.lab_port and not is_free(chosen.lab_port):
        raise _LabError(f"Port {chosen.lab_port} is in use: give another --lab-port, or leave it out.")
    events = Events()
    events.listen_to_signals()
    lessons = _lessons(chosen.folder)
    server = None if chosen.url else _server(chosen)
    try:
        if server is None:
            environment = {LAB_VARIABLE: chosen.url, VARIABLE: chosen.url}
            _say_existing(chosen.url)
        else:
            environment = {LAB_VARIABLE: server.full_url}
            _say_own(server, chosen)
        _say_lessons(lessons)
        jupyter = Jupyter(
            lessons.folder, chosen.lab_port, environment, browser=not (chosen.no_browser or chosen.once),
            events=events,
        )  # fmt: skip
        try:
            if server is not None:
                server.serve(lambda why: events.happened(Happening.ORTHANC_ENDED, why))
            return _follow(events, once=chosen.once)
        finally:
            jupyter.end()
    finally:
        if server is not None:
            server.stop()


def _follow(events: Events, *, once: bool) -> int:
    while True:
        event = events.next()
        if event.kind is Happening.JUPYTER_READY:
            _say("JupyterLab", event.text)
            if once:
                return 0
            _say("", "Ctrl-C here, or Shut Down in JupyterLab's menu File, ends both.")
            continue
        if event.kind is Happening.ORTHANC_ENDED:
            print(f"The server has ended, so JupyterLab ends, too. {event.text}".rstrip(), file=sys.stderr)
        elif event.text:
            print(event.text, file=sys.stderr)
        return 1 if event.text else 0


def _lessons(folder: Path | None) -> Lessons:
    try:
        if folder is None and is_checkout():
            return Lessons(packaged_notebooks())
        return copy_notebooks((folder or _FOLDER).expanduser().absolute())
    except OSError as error:
        raise _LabError(f"The notebooks cannot be copied: {error}. Choose another --folder.") from error


def _server(chosen: argparse.Namespace) -> OwnServer:
    choice = ServerChoice(chosen.configuration, chosen.storage, chosen.port, with_samples=not chosen.no_samples)
    try:
        return OwnServer(choice)
    except OrthancError as error:
        words = f"{error.text}{f': {error.details}' if error.details else ''}"
        if error.code == ErrorCode.HTTP_PORT_IN_USE:
            words += "\nGive another --port, or leave it out to take any free one."
        raise _LabError(words) from error
    except OSError as error:
        raise _LabError(str(error)) from error


def _say_own(server: OwnServer, chosen: argparse.Namespace) -> None:
    instances = server.fill()
    _say("Orthanc", server.url)
    if chosen.port is None and chosen.configuration is None and server.port != DEFAULT_PORT:
        _say("", f"Port {DEFAULT_PORT} is in use, so it took another one.")
    place = "a temporary folder, removed at the end (--storage keeps it)" if server.is_temporary else server.storage
    _say("", f"{instances} instances in {place}")


def _say_existing(url: str) -> None:
    try:
        with Client(url, retries=0) as client:
            system = client.system
    except (ClientError, ValueError) as error:
        raise _LabError(str(error)) from error
    parts = urlsplit(url)
    _say("Orthanc", urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    _say(
        "", f"version {system['Version']}; it was running before, and goes on at the end. No samples are stored in it."
    )


def _say_lessons(lessons: Lessons) -> None:
    _say("Notebooks", lessons.folder)
    if lessons.copied:
        _say("", f"{len(lessons.copied)} files were copied there.")
    if lessons.kept:
        _say("", f"Kept as they are there, though the package has others: {', '.join(lessons.kept)}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        _say("", "You are root: JupyterLab is allowed that here, because it listens on the loopback interface alone.")


def _say(label: str, text: object) -> None:
    print(f"{f'{label}:' if label else '':<12}{text}", flush=True)
