"""A plug-in of pytest for nbval: saves what the cells gave, as a notebook, at the path that ``--drawn`` names."""

from __future__ import annotations

import tempfile

import pytest

from orthanc_lab.lab.json_schemas import import_without_iri

import_without_iri()  # before nbval, which is loaded after this plug-in
import nbformat  # noqa: E402
import nbval.kernel  # noqa: E402
from jupyter_client.manager import KernelManager  # noqa: E402
from traitlets import default  # noqa: E402

_SOCKETS = tempfile.TemporaryDirectory(prefix="kernel-")  # the working folder of the kernel is another one


class _ManagerWithoutPorts(KernelManager):
    """Talks to the kernel over sockets in the file system: a port that is free now may be taken when it starts."""

    @default("transport")
    def _transport_without_ports(self) -> str:
        return "ipc"

    @default("ip")
    def _name_of_sockets(self) -> str:
        return f"{_SOCKETS.name}/kernel"


nbval.kernel.KernelManager = _ManagerWithoutPorts


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--drawn", help="where the outputs of the cells go, as a notebook")


def pytest_sessionfinish(session: pytest.Session) -> None:
    notebook = nbformat.v4.new_notebook()
    for item in session.items:
        notebook.cells.append(nbformat.v4.new_code_cell(id=item.cell.id, outputs=item.test_outputs or []))
    nbformat.write(notebook, session.config.getoption("drawn"))
