"""The button that adds private tags to the option ``Dictionary`` of the server, and restarts it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.widgets.code.code_log import CodeLog
from orthanc_lab.widgets.code.spoken import named
from orthanc_lab.widgets.controlled_server import ControlledServer, error_text
from orthanc_lab.widgets.dicomize.private_tags import PrivateBlock

__all__ = ["DictionaryButton"]


class DictionaryButton(ipywidgets.Button):
    """Adds private tags to the server's ``Dictionary``; hidden where the program did not start the server.

    Parameters
    ----------
    server
        The server; None if it was started elsewhere.
    act
        `Panel.act` of its panel.
    code
        Where the restart is noted.
    """

    def __init__(
        self, server: ControlledServer | None, act: Callable[[str, Callable[[], str | None]], object], code: CodeLog
    ) -> None:
        self._server = server
        self._act = act
        self._code = code
        self._block: PrivateBlock | None = None
        super().__init__(
            description="Add these lines and restart",
            icon="repeat",
            tooltip="Add them to the option Dictionary, and restart the server with it; jobs go on after the restart",
            layout={"width": "auto", "display": "none"},
        )
        self.on_click(lambda _: self.press())

    def knows(self, block: PrivateBlock) -> bool:
        """Whether the server's ``Dictionary`` has these tags already."""
        if self._server is None:
            return False
        return self._dictionary().items() >= block.entries().items()

    def _dictionary(self) -> dict[str, Any]:
        return {} if self._server is None else dict(self._server.options.get("Dictionary") or {})

    def offer(self, block: PrivateBlock | None) -> None:
        """Offer to add the tags of a block; None for nothing."""
        self._block = block
        self.layout.display = "none" if block is None or self._server is None else None

    def press(self) -> object:
        """Add them, in the background."""
        return self._act("Restarting the server with these private tags", partial(self._add, self._block))

    def _add(self, block: PrivateBlock | None) -> str | None:
        server = self._server
        if server is None or block is None:
            return None
        dictionary = {**self._dictionary(), **block.entries()}
        options = {**server.options, "Dictionary": dictionary}
        try:
            server.check(options)
            said = f"{{**server.options, 'Dictionary': {dictionary!r}}}"
            self._code.spoken(server, "server").restart(named(options, said))
        except OrthancError as error:
            raise ValueError(error_text(error)) from error
        self.offer(None)
        return "The server has restarted, and knows these private tags."
