"""Reading Orthanc's configuration: one JSON file or a folder of them, and writing a sample."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.options.option_table import OPTIONS

__all__ = ["Configuration", "read_configuration", "sample_configuration"]

_VARIABLE = re.compile(r"""\$\{([^:}]{1,999})(?::-(?:"([^"]{0,999})"|'([^']{0,999})'|([^}"']{0,999})))?\}""")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The contents of the configuration files."""

    values: Mapping[str, Any]
    folder: Path  # where relative paths start
    read: list[Path] = field(default_factory=list)  # the files, in the order they were read
    undefined: list[str] = field(default_factory=list)  # environment variables without value or default


def read_configuration(path: Path | None, environment: Mapping[str, str] = os.environ) -> Configuration:
    """Read a file, or all ``*.json`` files of a folder; None for the defaults.

    Raises
    ------
    OrthancError
        13 for a missing path, 28 for broken JSON, 15 for an option that stands in two files.
    """
    if path is None:
        return Configuration({}, Path.cwd())
    if path.is_dir():
        files = sorted(item for item in path.iterdir() if item.name.lower().endswith(".json") and item.is_file())
        result = Configuration({}, path)
    elif path.exists():
        files = [path]
        result = Configuration({}, path.parent)
    else:
        raise OrthancError(ErrorCode.INEXISTENT_FILE, f"Inexistent path to configuration: {path}")
    values: dict[str, Any] = {}
    for file in files:
        for name, value in _read_file(file, environment, result.undefined).items():
            if name in values:
                text = f'The configuration section "{name}" is defined in 2 different configuration files'
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT, text)
            values[name] = value
        result.read.append(file)
    return Configuration(values, result.folder, result.read, result.undefined)


def _read_file(file: Path, environment: Mapping[str, str], undefined: list[str]) -> dict[str, Any]:
    try:
        text = file.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise OrthancError(ErrorCode.INEXISTENT_FILE, f"Cannot read the configuration: {error}") from error

    def replaced(match: re.Match[str]) -> str:
        name, *defaults = match.groups()
        if name in environment:
            return environment[name]
        default = next((text for text in defaults if text is not None), None)
        if default is None:
            undefined.append(name)
        return default or ""

    try:
        value = lenient_json.loads(_VARIABLE.sub(replaced, text))
    except OrthancError as error:
        raise _bad_syntax(file, error.__cause__) from error
    if not isinstance(value, dict):
        no_object = _bad_syntax(file)
        no_object.add_note(f'{file} must contain a JSON object, such as {{"HttpPort": 8042}}')
        raise no_object
    return value


def _bad_syntax(file: Path, cause: BaseException | None = None) -> OrthancError:
    error = OrthancError(ErrorCode.BAD_JSON, f"The configuration file does not follow the JSON syntax: {file}")
    if isinstance(cause, json.JSONDecodeError):
        error.add_note(f"{file}, line {cause.lineno}, column {cause.colno}: {cause.msg}")
    return error


def sample_configuration() -> str:
    """Return a configuration file with every option at its default, each with a comment."""
    lines = [
        "{",
        "  // Configuration of orthanc-lab: the options of Orthanc, each with its default.",
        "  // Lines in comments are options that are not set, or that have no effect yet.",
        "",
    ]
    for option in OPTIONS.values():
        mark = "" if option.honoured and option.default is not None else "// "
        note = option.meaning if option.honoured else f"(no effect yet) {option.meaning}"
        lines += [f"  // {note}", f'  {mark}"{option.name}" : {json.dumps(option.default)},', ""]
    return "\n".join([*lines[:-1], "}"]) + "\n"
