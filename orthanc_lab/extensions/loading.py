"""Extensions by name: entry points of packages, objects of modules, files of Python."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from orthanc_lab.extensions.extension import Extension, as_extension
from orthanc_lab.extensions.failures import extension_error, of_exception
from orthanc_lab.extensions.job import Job
from orthanc_lab.extensions.routes import Route
from orthanc_lab.protocol.errors import OrthancError

__all__ = ["GROUP", "listed", "load", "load_all", "reference_of"]

GROUP = "orthanc_lab.extensions"
"""The group of entry points by which packages offer extensions."""

_MODULES = "orthanc_lab_extension_"  # the modules that are made of files


def load_all(items: Iterable[object], folder: Path) -> tuple[Extension, ...]:
    """Return extensions that were given as such, by name or as files.

    Parameters
    ----------
    folder
        Where relative paths start.

    Raises
    ------
    OrthancError, TypeError
        As `load` and `as_extension`.
    """
    return tuple(
        load(os.fspath(item), folder) if isinstance(item, (str, os.PathLike)) else as_extension(item)
        for item in listed(items)
    )


def listed(items: Iterable[object]) -> tuple[object, ...]:
    """Return what was given as extensions, item by item.

    Raises
    ------
    TypeError
        For what is no list of them, such as a single one.
    """
    if isinstance(items, (str, os.PathLike, type, Route, Extension)) or not isinstance(items, Iterable):
        raise TypeError(f"Extensions must be given as a list, not {items!r:.80}")
    return tuple(items)


def load(reference: str, folder: Path) -> Extension:
    """Return the extension of a name.

    Parameters
    ----------
    reference
        A file (``halve.py``), an object of a module (``package.module:name``), or the name of an entry point.
    folder
        Where relative paths start.

    Raises
    ------
    OrthancError
        1 with the reason.
    """
    try:
        if reference.endswith(".py"):
            return _of_module(_module_of(folder / reference), Path(reference).stem)
        module, _, name = reference.partition(":")
        is_object = name.isidentifier() and all(part.isidentifier() for part in module.split("."))
        item = getattr(importlib.import_module(module), name) if is_object else _of_entry_point(reference)
        return _of_module(item, reference) if isinstance(item, ModuleType) else as_extension(item)
    except (Exception, SystemExit) as error:
        why = error.details if isinstance(error, OrthancError) else of_exception(error).details
        raise extension_error(f"Cannot load the extension {reference!r:.200}: {why}") from error


def reference_of(item: object, folder: Path) -> str:
    """Return the name by which another process can load an extension.

    Raises
    ------
    ValueError
        For one that no other process can import.
    """
    if isinstance(item, (str, os.PathLike)):
        text = os.fspath(item)
        return str(folder / text) if text.endswith(".py") else text
    module, name = _place_of(item)
    is_importable = module != "__main__" and not module.startswith(_MODULES)
    if not is_importable or getattr(sys.modules.get(module), name, None) is not item:
        raise ValueError(
            f"Another process cannot import {item!r:.80}, which was made in this one: write it into a file, and give "
            'its name, extensions=["my_job.py"]'
        )
    return f"{module}:{name}"


def _place_of(item: object) -> tuple[str, str]:
    if isinstance(item, Route):
        return item.handler.__module__, item.name
    if isinstance(item, Extension):
        for module, found in list(sys.modules.items()):
            for name, value in vars(found).items() if isinstance(found, ModuleType) else ():
                if value is item and module != "__main__":
                    return module, name
        return "__main__", ""
    return getattr(item, "__module__", "__main__"), getattr(item, "__qualname__", "")


def _of_entry_point(name: str) -> object:
    found = entry_points(group=GROUP)
    if name not in found.names:
        known = ", ".join(sorted(found.names)) or "none"
        raise extension_error(f"no installed package has an extension of this name (there are: {known})")
    return found[name].load()


def _module_of(path: Path) -> ModuleType:
    if not path.is_file():
        raise extension_error("there is no such file")
    name = _MODULES + re.sub(r"\W", "_", path.stem)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _of_module(module: ModuleType, name: str) -> Extension:
    """Return the extension that a module defines, or one of all its classes and routes."""
    values = list(vars(module).values())
    whole = [value for value in values if isinstance(value, Extension)]
    if whole:
        if len(whole) > 1:
            raise extension_error("it has more than one Extension")
        return whole[0]
    own = module.__name__
    jobs = [value for value in values if isinstance(value, type) and issubclass(value, Job) and value.__module__ == own]
    jobs = [kind for kind in jobs if kind.step is not Job.step]
    routes = [value for value in values if isinstance(value, Route) and value.handler.__module__ == own]
    if not jobs and not routes:
        raise extension_error("it has neither a class made from Job nor a function below @route")
    return Extension(name, jobs, routes, description=(module.__doc__ or "").strip().partition("\n")[0])
