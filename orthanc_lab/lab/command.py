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
from orthanc_lab.lab.jupyter import Jupyter, missing_packages
from orthanc_lab.lab.notebooks import Lessons, copy_notebooks, find_lesson, is_checkout, packaged_notebooks
from orthanc_lab.lab.own_server import DEFAULT_PORT, OwnServer, ServerChoice
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.embedding.own_folder import remove_abandoned_folders
from orthanc_lab.server.embedding.remote import LAB_VARIABLE, VARIABLE
from orthanc_lab.server.file_words import port_number, words_of
from orthanc_lab.server.loopback import is_free

__all__ = ["main"]

_FOLDER = Path("~/orthanc-lab-notebooks")
_DESCRIPTION = f"""\
Start a server with sample studies and open JupyterLab in the folder of the notebooks; Ctrl-C stops both.
JupyterLab listens on the loopback interface only, and so does the server unless a configuration file says otherwise.
Without a configuration file, the server has a password made at this start; the printed address contains it.

The lessons start their own servers, where nothing can be broken. Notebooks find the lab's server through the
environment variable {LAB_VARIABLE}. With --url, {VARIABLE} is also set, and the lessons run on that Orthanc."""


class _LabError(Exception):
    """The lab cannot start; the message is for the user at the terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the lab until it is stopped; returns the exit code."""
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
    parser.add_argument(
        "words", nargs="*", metavar="LESSON or CONFIGURATION",
        help="the number of a lesson to open, such as 04 (default: the index of all lessons); a configuration file or "
        "folder, as for 'serve'",
    )  # fmt: skip
    own = parser.add_argument_group("the server")
    own.add_argument("--no-samples", action="store_true", help="do not upload the sample studies to an empty server")
    own.add_argument(
        "--storage", type=Path, help="folder for the files (default: a temporary folder, removed at the end)"
    )
    own.add_argument(
        "--port", type=port_number, help=f"HTTP port (default: {DEFAULT_PORT}, or a free one if that is in use)"
    )
    own.add_argument(
        "--url", default=os.environ.get(VARIABLE),
        help="use the Orthanc at this address, http://localhost:8042, instead of starting a server (default: the "
        f"environment variable {VARIABLE}). If the address contains a password, set {VARIABLE} to it instead: other "
        "users of the machine can read the command lines of all programs",
    )  # fmt: skip
    lab = parser.add_argument_group("JupyterLab")
    lab.add_argument(
        "--folder", type=Path,
        help="folder for the notebooks; missing ones are copied there, existing ones are never overwritten "
        f"(default: notebooks/ in a checkout, otherwise {_FOLDER})",
    )  # fmt: skip
    lab.add_argument("--lab-port", type=port_number, help="port for JupyterLab (default: 8888, or the next free one)")
    lab.add_argument("--no-browser", action="store_true", help="do not open a browser")
    lab.add_argument("--once", action="store_true", help="exit as soon as both respond, to check the installation")
    return parser


def _read_words(words: Sequence[str]) -> tuple[str | None, Path | None]:
    """Return the lesson to open and the configuration."""
    lesson = configuration = None
    for word in words:
        try:
            found = None if Path(word).exists() else find_lesson(word)
        except LookupError as error:
            raise _LabError(str(error)) from None
        if found and lesson is None:
            lesson = found
        elif not found and configuration is None:
            configuration = Path(word)
        else:
            raise _LabError(f"{word}: give one lesson and one configuration at most.")
    return lesson, configuration


def _run(chosen: argparse.Namespace) -> int:
    missing = missing_packages()
    if missing:
        raise _LabError(f"Missing packages: {', '.join(missing)}. Run: pip install 'orthanc-lab[notebook]'")
    if chosen.lab_port and not is_free(chosen.lab_port):
        raise _LabError(f"Port {chosen.lab_port} is in use: choose another --lab-port, or omit it.")
    lesson, configuration = _read_words(chosen.words)
    events = Events()
    events.listen_to_signals()
    lessons = _lessons(chosen.folder)
    remove_abandoned_folders()
    server = None if chosen.url else _server(chosen, configuration)
    try:
        if server is None:
            environment = {LAB_VARIABLE: chosen.url, VARIABLE: chosen.url}
            _say_existing(chosen.url)
        else:
            environment = {LAB_VARIABLE: server.full_url}
            _say_own(server, is_told=bool(configuration or chosen.port is not None))
        _say_lessons(lessons)
        jupyter = Jupyter(
            lessons.folder, chosen.lab_port, environment, browser=not (chosen.no_browser or chosen.once),
            notebook=lesson or lessons.start, events=events,
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
            _say("", "To stop both, press Ctrl-C here, or choose Shut Down from JupyterLab's File menu.")
            continue
        if event.kind is Happening.ORTHANC_ENDED:
            print(f"The server has stopped, so JupyterLab stops too. {event.text}".rstrip(), file=sys.stderr)
        elif event.text:
            print(event.text, file=sys.stderr)
        return 1 if event.text else 0


def _lessons(folder: Path | None) -> Lessons:
    try:
        if folder is None and is_checkout():
            return Lessons(packaged_notebooks())
        return copy_notebooks((folder or _FOLDER).expanduser().absolute())
    except OSError as error:
        raise _LabError(f"Cannot copy the notebooks: {words_of(error)}. Choose another --folder.") from error


def _server(chosen: argparse.Namespace, configuration: Path | None) -> OwnServer:
    choice = ServerChoice(configuration, chosen.storage, chosen.port, with_samples=not chosen.no_samples)
    try:
        return OwnServer(choice)
    except OrthancError as error:
        words = f"{error.text}{f': {error.details}' if error.details else ''}"
        if error.code == ErrorCode.HTTP_PORT_IN_USE:
            words += "\nChoose another --port, or omit it to use any free port."
        else:
            words = "\n".join([words, *getattr(error, "__notes__", ())])
        raise _LabError(words) from error
    except OSError as error:
        raise _LabError(words_of(error)) from error


def _say_own(server: OwnServer, *, is_told: bool) -> None:
    instances = server.fill()
    _say("Orthanc", server.shown_url)
    if not is_told and server.port != DEFAULT_PORT:
        _say("", f"Port {DEFAULT_PORT} is in use, so another one was chosen.")
    place = "a temporary folder, removed at the end (see --storage)" if server.is_temporary else server.storage
    _say("", f"{instances} instances in {place}")


def _say_existing(url: str) -> None:
    try:
        with Client(url, retries=0) as client:
            system = client.system
    except (ClientError, ValueError) as error:
        raise _LabError(str(error)) from error
    parts = urlsplit(url)
    _say("Orthanc", urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    _say("", f"version {system['Version']}; it keeps running when the lab stops. No samples are uploaded to it.")


def _say_lessons(lessons: Lessons) -> None:
    _say("Notebooks", lessons.folder)
    if lessons.copied:
        _say("", f"Copied {len(lessons.copied)} files there.")
    if lessons.kept:
        _say("", f"Not overwritten, although the package has different versions: {', '.join(lessons.kept)}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        _say("", "Running JupyterLab as root, which is allowed here because it listens on the loopback interface only.")


def _say(label: str, text: object) -> None:
    print(f"{f'{label}:' if label else '':<12}{text}", flush=True)
