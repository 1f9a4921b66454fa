"""The examples in the docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import orthanc_lab
import orthanc_lab.widgets as package
from orthanc_lab import Client, samples

MODULES = [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(name: str, tmp_path: Path) -> None:
    with orthanc_lab.serve() as server, Client.from_server(server) as client:
        client.upload(samples.path("ct/soft_tissue"))
        names = {"client": client, "server": server, "orthanc_lab": orthanc_lab, "samples": samples, "folder": tmp_path}
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        result = doctest.testmod(importlib.import_module(name), extraglobs=names, optionflags=options)
    assert result.failed == 0


@pytest.mark.parametrize("name", package.__all__)
def test_every_public_name_has_an_example(name: str) -> None:
    assert ">>> " in (getattr(package, name).__doc__ or "")
