"""Code in a fold, as Python and as curl, to copy or to insert as a cell."""

from __future__ import annotations

import traitlets

from orthanc_lab.widgets.elements.element import Element

__all__ = ["CodeView"]


class CodeView(Element, script="code_view"):
    """The code of what was done last; nothing is shown before there is any.

    "Insert as cell" is there where JupyterLab lets pages reach it, as `orthanc-lab lab` has it do.

    Attributes
    ----------
    python, curl
        The code in both forms.
    """

    python = traitlets.Unicode().tag(sync=True)
    curl = traitlets.Unicode().tag(sync=True)
