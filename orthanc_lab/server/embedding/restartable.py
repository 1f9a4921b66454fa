"""Starting again with other options, while other parts of a program use the server already."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from orthanc_lab.server.embedding.own_folder import Stoppable
from orthanc_lab.server.options.names import check_names, warnings_of_names
from orthanc_lab.server.options.option_table import without_unset
from orthanc_lab.server.options.settings import CheckedSettings

__all__ = ["Restartable", "dicom_on_a_free_port"]


def dicom_on_a_free_port(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options by which DICOM takes a free port, and stays on this machine unless HTTP does not."""
    return {"DicomPort": 0, "DicomBindAddresses": [] if options.get("RemoteAccessAllowed") else ["127.0.0.1"]}


class Restartable(Stoppable):
    """A server whose options may change from one start to the next; its ports and folder stay."""

    folder: Path
    _options: dict[str, Any]

    @property
    def options(self) -> dict[str, Any]:
        """The options that were given, with ports and folder."""
        return dict(self._options)

    @property
    def url(self) -> str:
        """Where it serves."""
        raise NotImplementedError

    @property
    def is_running(self) -> bool:
        """Whether it serves now."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<Orthanc {self._state()} at {self.url}>"

    def _repr_html_(self) -> str:
        address = escape(self.url)
        link = f'<a href="{address}" target="_blank" rel="noopener">{address}</a>' if self.is_running else address
        return f"<div>Orthanc {self._state()} at {link}</div>"

    def _state(self) -> str:
        return "running" if self.is_running else "(stopped)"

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Return what is worth a warning in options for `restart`.

        Raises
        ------
        OrthancError
            For an option that the server refuses, in its words.
        ValueError
            For another port or folder.
        TypeError
            For a name that is no option.
        """
        wanted = self._for_restart(options)
        return [*warnings_of_names(wanted), *CheckedSettings(wanted, self.folder).warnings]

    def _for_restart(self, options: Mapping[str, Any]) -> dict[str, Any]:
        check_names(options)
        # Port and folder stay, since clients and files are there.
        fixed = {name: self._options[name] for name in ("HttpPort", "DicomPort", "StorageDirectory")}
        for name, value in fixed.items():
            if options.get(name, value) != value:
                raise ValueError(f'"{name}" must stay {value!r} while this server is used; start another server')
        return {**without_unset(options), **fixed}
