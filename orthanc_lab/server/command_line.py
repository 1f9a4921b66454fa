"""The command line: Orthanc's own options, read from left to right, and sub-commands."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import re
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.errors import ERROR_TEXTS, OrthancError
from orthanc_lab.protocol.signals import FirstAsks, exit_code_of, listen, raising
from orthanc_lab.protocol.verbosity import CATEGORIES, set_verbosity
from orthanc_lab.protocol.version import VERSION
from orthanc_lab.server.log_lines import log_to, open_log_folder

if TYPE_CHECKING:
    from orthanc_lab.server.environment import EnvironmentWrapper

__all__ = ["COMMANDS", "main", "serve_until_stopped"]

_log = logging.getLogger("orthanc_lab")
_FAILED = 255
_FILES = 8192
_VERBOSITY = re.compile(r"--(verbose|trace)(?:-(\w+))?")

COMMANDS = {
    "lab": ("orthanc_lab.lab.command", "a server and the notebooks in JupyterLab"),
    "demo": ("orthanc_lab.server.demo", "a tour of the server on sample data"),
    "import": ("orthanc_lab.server.adoption.command", "take over what a real Orthanc has stored"),
    "migrate": ("orthanc_lab.server.migration.command", "move what a server has to another back end"),
    "grade": ("orthanc_lab.lab.grading.command", "grade the exercises of notebooks"),
    "bench": ("orthanc_lab.bench.command", "measure this server beside another one"),
    "certify": ("orthanc_lab.testing.certify.command", "tell which answers of a server differ from Orthanc's"),
    "record": ("orthanc_lab.testing.recordings.record_command", "write down all that passes to and from a server"),
    "capsule": ("orthanc_lab.testing.capsule.command", "make a recording fit to be shared"),
    "replay": ("orthanc_lab.testing.recordings.replay_command", "answer as a recording does"),
    "completion": ("orthanc_lab.lab.completion", "print a script by which a shell completes all this"),
}
"""Sub-commands beside ``serve``: module with a ``main(arguments)``, and what it does."""

_HELP = """\
Usage: orthanc-lab [serve] [OPTION]... [CONFIGURATION]
       orthanc-lab COMMAND [OPTION]...

Orthanc, the DICOM server, in pure Python.

CONFIGURATION is a JSON file as Orthanc reads it, or a folder whose *.json files are taken together.
Without one, the server listens on the loopback interface, port 8042, and keeps its files in ./OrthancStorage.
Options are read from left to right; --verbose and --trace override earlier options for logs.

  serve                 start the server (also without this word)
  lab                   a server on sample data, and the notebooks in JupyterLab; --help tells more
  demo                  a tour of the server on sample data; --help tells more
  import                take over what a real Orthanc has stored; --help tells more
  migrate               move what a server has to another back end; --help tells more
  grade                 grade the exercises that students have solved; --help tells more
  bench                 measure this server beside another one; --help tells more
  certify               tell which answers of a server differ from Orthanc's; --help tells more
  record                write down all that passes to and from a server; --help tells more
  capsule               make a recording fit to be shared; --help tells more
  replay                answer as a recording does; --help tells more
  completion            print a script by which a shell completes all this; --help tells more

  --help                show this text
  --version             show the version
  --errors              list the error codes
  --config=[file]       write a sample configuration; "-" is standard output
  --openapi=[file]      write the OpenAPI description of the REST API; "-" is standard output
  --cheatsheet=[file]   write the routes of the REST API as CSV; "-" is standard output
  --extension=[name]    add kinds of job and routes: a file (halve.py), an object (package.module:name), or the name
                        of an entry point of an installed package; may be repeated
  --no-jobs             forget the jobs of the last run
  --upgrade             accepted without effect: an index is always read by the version that wrote it
  --logdir=[folder]     write the log to a new file in this folder
  --logfile=[file]      write the log to this file (else to standard error)
  --verbose, --trace    log more, log most; also --verbose-CATEGORY and --trace-CATEGORY for
                        generic, plugins, http, sqlite, dicom, jobs, lua

Exit code: 0 on success, 255 on failure (see the log).
"""


@dataclass(frozen=True, slots=True)
class Call:
    """What the command line asks for."""

    configuration: Path | None = None
    load_jobs: bool = True
    extensions: tuple[str, ...] = ()
    seed: int | None = None
    log_file: Path | None = None
    verbosity: tuple[tuple[str, str | None], ...] = ()  # (level, category or None for all), in order
    unknown: tuple[str, ...] = ()
    paths: int = 0
    answer: Callable[[], int] | None = field(default=None)  # instead of serving


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with raising():
            return _run(words)
    except KeyboardInterrupt as interrupt:
        with suppress(OSError):  # there may be no terminal any more
            print("\nInterrupted", file=sys.stderr)
        return exit_code_of(interrupt)


def _run(words: list[str]) -> int:
    if words and words[0] in COMMANDS:
        module: Any = importlib.import_module(COMMANDS[words[0]][0])
        code: int = module.main(words[1:])
        return code
    if words and words[0] == "serve":
        del words[0]
    elif words and (command := _resembled(words[0])):
        print(f"There is no command or file {words[0]!r}; did you mean {command!r}?", file=sys.stderr)
        return _FAILED
    return serve_until_stopped(words)


def _resembled(word: str) -> str:
    """Return the command that a word resembles which is neither a command nor a file, "" for none."""
    if not re.fullmatch(r"[A-Za-z]{2,20}", word) or Path(word).exists():
        return ""
    from difflib import get_close_matches  # noqa: PLC0415 - rarely needed

    found = get_close_matches(word.lower(), [*COMMANDS, "serve"], n=1, cutoff=0.7)
    return found[0] if found else ""


def serve_until_stopped(
    words: Sequence[str],
    started: Callable[[Any], None] | None = None,
    faults: EnvironmentWrapper | None = None,
) -> int:
    """Serve with these options until a signal or a client ends it; return the exit code.

    Parameters
    ----------
    started
        Called with the server once it listens.
    faults
        What can go wrong.
    """
    log_to(None)
    try:
        call = read_call(words)
        if call.answer is not None:
            code = call.answer()
            sys.stdout.flush()
            return code
        log_to(call.log_file)
        for level, category in call.verbosity:
            set_verbosity(level, category)
        if call.paths > 1:
            _log.error("More than one configuration path were provided on the command line, aborting")
            return _FAILED
        for word in call.unknown:
            _log.warning("Option unsupported by the core of Orthanc: %s", word)
        return _serve(call, started, faults)
    except OrthancError as error:
        _log.error("%s%s", error.text, f": {error.details}" if error.details else "")
        for note in getattr(error, "__notes__", ()):
            _log.error("%s", note)
        _log.error("Uncaught exception, stopping now: [%s] (code %d)", error.text, error.code)
        return _FAILED
    except BrokenPipeError:  # whoever reads the output has gone, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter writes what is left
        return _FAILED
    except OSError as error:
        _log.error("Uncaught exception, stopping now: [%s]", error)
        return _FAILED


def read_call(words: Sequence[str]) -> Call:
    """Parse the arguments; an option like ``--version`` ends it.

    Raises
    ------
    OrthancError
        For a log file or folder that cannot be used.
    """
    call = Call()
    for word in words:
        if word.startswith("-"):
            call = _with_option(call, word)
            if call.answer is not None:
                return call
        else:
            call = replace(call, configuration=Path(word), paths=call.paths + 1)
    return call


def _with_option(call: Call, word: str) -> Call:
    name, equals, value = word.partition("=")
    if not equals:
        verbosity = _VERBOSITY.fullmatch(word)
        if verbosity and (verbosity[2] is None or verbosity[2] in CATEGORIES):
            return replace(call, verbosity=(*call.verbosity, (verbosity[1], verbosity[2])))
        answer = {"--help": _help, "-h": _help, "--version": _version, "--errors": _errors}.get(word)
        if answer is not None:
            return replace(call, answer=answer)
        if word == "--no-jobs":
            return replace(call, load_jobs=False)
        if word in ("--upgrade", "--logs-no-thread"):
            return call
    else:
        document = {"--config": _sample, "--openapi": _openapi, "--cheatsheet": _cheat_sheet}.get(name)
        if document is not None:
            return replace(call, answer=lambda: _write(document(), value))
        if name == "--extension":
            return replace(
                call, extensions=(*call.extensions, str(Path.cwd() / value) if value.endswith(".py") else value)
            )
        if name == "--logdir":
            return replace(call, log_file=open_log_folder(Path(value)))
        if name == "--logfile":
            return replace(call, log_file=Path(value))
        if name == "--seed" and value.isdigit():
            return replace(call, seed=int(value))
    return replace(call, unknown=(*call.unknown, word))


def _serve(call: Call, started: Callable[[Any], None] | None, faults: EnvironmentWrapper | None) -> int:
    gc.disable()  # the modules to be loaded are no garbage: a sixth of the start was the search for some
    try:
        server = _started(call, faults)
    finally:
        _calm_the_collector()
    _log.warning("The server is at %s", _url_of(server))
    if started is not None:
        started(server)
    server.run()
    return 0


def _url_of(server: Any) -> str:
    from orthanc_lab.server.loopback import url_of  # noqa: PLC0415 - so that --help is quick

    return url_of(server.settings, server.port)


def _started(call: Call, faults: EnvironmentWrapper | None) -> Any:
    """Return a server that listens, and ends at a signal."""
    from orthanc_lab.protocol.ports import SeededIdentifiers  # noqa: PLC0415 - so that --help is quick
    from orthanc_lab.server.environment import Environment  # noqa: PLC0415
    from orthanc_lab.server.lifecycle import Server  # noqa: PLC0415
    from orthanc_lab.server.memory_trimming import keep_memory_for_all_threads  # noqa: PLC0415
    from orthanc_lab.server.options.configuration_files import read_configuration  # noqa: PLC0415
    from orthanc_lab.server.options.names import warnings_of_names  # noqa: PLC0415
    from orthanc_lab.server.options.settings import CheckedSettings  # noqa: PLC0415

    def load() -> CheckedSettings:
        configuration = read_configuration(call.configuration)
        for file in configuration.read:
            _log.warning('Reading the configuration from: "%s"', file)
        for name in configuration.undefined:
            _log.warning("The environment variable %s of the configuration is not set", name)
        if not configuration.read:
            _log.warning("Using the default Orthanc configuration")
        for warning in warnings_of_names(configuration.values):
            _log.warning("%s", warning)
        values = configuration.values
        if call.extensions:
            values = {**values, "Extensions": [*values.get("Extensions", ()), *call.extensions]}
        return CheckedSettings(values, configuration.folder)

    _log.warning("Orthanc version: 1.12.7 (orthanc-lab %s)", VERSION)
    _allow_many_files()
    keep_memory_for_all_threads()
    environment = Environment.of_system(None if call.seed is None else SeededIdentifiers(call.seed))
    if faults is not None:
        environment = faults.around(environment)
    server = Server(load, environment, load_jobs=call.load_jobs)
    listen(FirstAsks(lambda number: server.shutdown()))
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: server.reset())
    server.start()
    return server


def _calm_the_collector() -> None:
    # A long answer is made of many objects that refer to each other in no circle: looking for circles every
    # 700 objects was a sixth of the time of a list of 1,000 studies, and finds nothing.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def _allow_many_files() -> None:
    """Raise the number of file descriptors to what the system grants (the usual 1024 are few for a server)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _help() -> int:
    print(_HELP, end="")
    return 0


def _version() -> int:
    print("Orthanc 1.12.7")
    print(f"orthanc-lab {VERSION}: its REST API in pure Python, MIT license")
    return 0


def _errors() -> int:
    print("Error codes of the REST API and of the command line:\n")
    for code, text in ERROR_TEXTS.items():
        print(f"{code:16}   {text}")
    return 0


def _write(text: str, target: str) -> int:
    if target == "-":
        print(text, end="")
        return 0
    from orthanc_lab.server.file_words import words_of  # noqa: PLC0415 - so that --help is quick

    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        _log.error('Cannot write the file "%s": %s', target, words_of(error))
        return _FAILED
    return 0


def _sample() -> str:
    from orthanc_lab.server.options.configuration_files import sample_configuration  # noqa: PLC0415 - so that --help is quick

    return sample_configuration()


def _openapi() -> str:
    from orthanc_lab.server.api_document import openapi  # noqa: PLC0415 - so that --help is quick

    return openapi()


def _cheat_sheet() -> str:
    from orthanc_lab.server.api_document import cheat_sheet  # noqa: PLC0415 - so that --help is quick

    return cheat_sheet()
