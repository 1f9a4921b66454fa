"""Changes to docstrings and signatures for the reference."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.util import inspect
from sphinx.util.inspect import stringify_signature

_ATTRIBUTES = re.compile(r":ivar (\w+(?:, \w+)+):(.*)")
_COLON, _HIDDEN = ": ", "\ue000"
_MADE_BY_OTHERS = {
    "ChildServer", "Collection", "EmbeddedServer", "Fault", "FaultKind", "InProcessServer", "Instance", "Job", "Jobs",
    "Patient", "RemoteServer", "Resource", "Series", "Study", "Transport", "UploadReport",
}  # fmt: skip
"""Classes that readers never construct themselves: their constructors are not shown."""
_WIDGETS = "orthanc_lab.widgets."  # ipywidgets hides the constructors behind *args and **kwargs
_SHORT = {"unqualified_typehints": True, "show_return_annotation": False}


def hide_colon(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep napoleon from parsing "Sizes: in bytes" in a property or a return value as "type: description"."""
    if what in ("property", "data") and lines:
        lines[0] = lines[0].replace(_COLON, _HIDDEN)


def finish(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Restore the colon, and give each of several attributes that share a description its own entry."""
    lines[:] = [part for line in lines for part in _entries(line.replace(_HIDDEN, _COLON))]


def _entries(line: str) -> list[str]:
    names = _ATTRIBUTES.match(line)
    return [line] if names is None else [f":ivar {name}:{names[2]}" for name in names[1].split(", ")]


def signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str, None] | None:
    """Omit the constructors of classes that readers never construct themselves."""
    if signature is None:
        return None
    if what == "exception" or (what == "class" and name.rpartition(".")[2] in _MADE_BY_OTHERS):
        return "", None
    if what == "class" and name.startswith(_WIDGETS):
        return stringify_signature(inspect.signature(obj.__init__, bound_method=True), **_SHORT), None
    return None


def join(app: Sphinx, tree: nodes.document) -> None:
    """Join the entries of parameters and attributes that share a description: "studies, series – …"."""
    for field in tree.findall(nodes.field_list):
        for entries in field.findall(nodes.bullet_list):
            kept: dict[str, nodes.paragraph] = {}
            for entry in list(entries.children):
                paragraph = next(entry.findall(nodes.paragraph), None)
                if paragraph is None or not isinstance(paragraph.children[0], addnodes.literal_strong | nodes.strong):
                    continue
                name = paragraph.children[0]
                text = "".join(child.astext() for child in paragraph.children[1:])
                if text in kept:
                    at = max(i for i, child in enumerate(kept[text].children) if isinstance(child, type(name))) + 1
                    kept[text].insert(at, [nodes.Text(", "), name.deepcopy()])
                    entries.remove(entry)
                else:
                    kept[text] = paragraph


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx; napoleon has the priority 500."""
    app.connect("autodoc-process-docstring", hide_colon, priority=400)
    app.connect("autodoc-process-docstring", finish, priority=600)
    app.connect("autodoc-process-signature", signature)
    app.connect("doctree-read", join)
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label, field.rolename = "Attributes", None  # their names are headings here, not links to elsewhere
    return {"parallel_read_safe": True, "parallel_write_safe": True}
