"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import orthanc_lab.frames

MODULES = [item.name for item in pkgutil.iter_modules(orthanc_lab.frames.__path__, "orthanc_lab.frames.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_public_name_has_an_example():
    for module in (orthanc_lab.frames, importlib.import_module("orthanc_lab.frames.charts")):
        without = [name for name in module.__all__ if ">>>" not in (getattr(module, name).__doc__ or "")]
        assert without == []
