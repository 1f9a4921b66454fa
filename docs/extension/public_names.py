"""Links by any name of a public object: ``Client``, ``orthanc_lab.Client``, ``orthanc_lab.client.Client``."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

PACKAGE = "orthanc_lab"


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement) -> nodes.Element | None:
    """Find the documented object whose qualified name ends with the target."""
    if node.get("refdomain") != "py":
        return None
    target: str = node["reftarget"]
    wanted = target.removeprefix(f"{PACKAGE}.")
    domain: Any = env.domains["py"]
    found = [name for name in domain.objects if name.startswith(PACKAGE) and _ends(name, wanted)]
    exact = [name for name in found if not domain.objects[name].aliased]
    if target.startswith(PACKAGE) and not exact:
        short = wanted.rpartition(".")[2]
        exact = [name for name in domain.objects if _ends(name, short) and not domain.objects[name].aliased]
    if len(exact) == 1:
        node["reftarget"] = exact[0]
        result: nodes.Element | None = domain.resolve_xref(
            env, node["refdoc"], app.builder, "obj", exact[0], node, content
        )
        return result
    if node["reftype"] == "obj" and target.isidentifier():
        return content  # the name of a parameter, say
    return None


def _ends(name: str, wanted: str) -> bool:
    return name == wanted or name.endswith(f".{wanted}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
