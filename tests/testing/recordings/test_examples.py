"""The examples in the docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from contextlib import ExitStack
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing import Recorder, Recording, recordings

MODULES = [module.name for module in pkgutil.iter_modules(recordings.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(
    name: str, ours: orthanc_lab.EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module(f"{recordings.__name__}.{name}")
    if not any(test.examples for test in doctest.DocTestFinder().find(module)):
        return
    monkeypatch.chdir(tmp_path)
    ours.renew()
    with ExitStack() as stack:
        names: dict[str, object] = {}
        if name in ("reader", "replay"):
            with Recorder(ours.url, "story.recording") as proxy, orthanc_lab.Client(proxy.url) as client:
                client.upload(samples.dicom_files("ct")[0])
                assert len(client.instances) == 1
            names["recording"] = stack.enter_context(Recording("story.recording"))
        assert doctest.testmod(module, extraglobs=names).failed == 0
