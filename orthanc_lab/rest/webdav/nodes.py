"""Folders and files as WebDAV shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["File", "Folder", "Node", "find"]


@dataclass(frozen=True, slots=True)
class File:
    """A file."""

    name: str
    size: int  # bytes
    media_type: str
    modified: str  # 20261128T213234, or "" for now
    read: Callable[[], bytes]
    resources: Sequence[str] = ()  # Orthanc identifiers of what goes when it is deleted


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, whose content is looked up when it is opened."""

    name: str
    entries: Callable[[], Sequence[Node]]
    modified: str = ""  # 20261128T213234, or "" for now
    resources: Callable[[], Sequence[str]] | None = None  # what goes when it is deleted; None: it cannot be


Node = File | Folder


def find(root: Folder, path: Sequence[str]) -> Node | None:
    """Return the node at a path, in upper or lower case if there is no exact one; None if there is none."""
    node: Node = root
    for name in path:
        if isinstance(node, File):
            return None
        entries = node.entries()
        folded = name.casefold()
        found = next((entry for entry in entries if entry.name == name), None)
        found = found or next((entry for entry in entries if entry.name.casefold() == folded), None)
        if found is None:
            return None
        node = found
    return node
