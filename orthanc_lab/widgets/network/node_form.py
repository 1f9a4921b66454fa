"""The form for a new DICOM node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

__all__ = ["NodeForm"]


class NodeForm(ipywidgets.HBox):
    """Name, AE title and address of a node.

    Parameters
    ----------
    on_add
        Called when the user presses *Add*.

    Examples
    --------
    >>> form = NodeForm(lambda: None)
    >>> form.name.value, form.aet.value, form.host.value, form.port.value = "pacs", "ARCHIVE", "192.0.2.5", 104
    >>> form.options
    {'AET': 'ARCHIVE', 'Host': '192.0.2.5', 'Port': 104, 'UseDicomTls': False}
    """

    def __init__(self, on_add: Callable[[], object]) -> None:
        free = {"description_width": "initial"}

        def text(label: str, hint: str, width: str) -> ipywidgets.Text:
            return ipywidgets.Text(description=label, placeholder=hint, style=free, layout={"width": width})

        self.name = text("Name", "pacs", "11em")
        self.aet = text("AE title", "ARCHIVE", "14em")
        self.host = text("Host", "192.0.2.5", "15em")
        self.port = ipywidgets.BoundedIntText(
            104, min=1, max=65535, description="Port", style=free, layout={"width": "9em"}
        )
        self.tls = ipywidgets.Checkbox(description="TLS", indent=False, layout={"width": "5em"})
        self.button = ipywidgets.Button(
            description="Add",
            icon="plus",
            tooltip="Add the node, or replace the one of that name",
            layout={"width": "auto"},
        )
        self.button.on_click(lambda _: on_add())
        controls = [self.name, self.aet, self.host, self.port, self.tls, self.button]
        super().__init__(controls, layout={"flex_flow": "row wrap", "align_items": "center"})

    @property
    def options(self) -> dict[str, Any]:
        """The configuration of the node.

        Raises
        ------
        ValueError
            If the name, the AE title or the host is missing.
        """
        missing = [field.description for field in (self.name, self.aet, self.host) if not field.value.strip()]
        if missing:
            raise ValueError(f"{', '.join(missing)} missing: fill in the form first")
        return {
            "AET": self.aet.value.strip(),
            "Host": self.host.value.strip(),
            "Port": self.port.value,
            "UseDicomTls": self.tls.value,
        }
