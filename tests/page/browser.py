"""Chromium without a window, driven by the DevTools protocol over a pipe: no library, no port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

DEADLINE = 60.0  # seconds


class Browser:
    """One page of a browser that ends with this object; to be used in a ``with`` statement.

    Parameters
    ----------
    program, profile
        The browser, and a folder of its own.
    *switches
        Further arguments of the program.
    """

    def __init__(self, program: str, profile: Path, *switches: str) -> None:
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        arguments = [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", f"--user-data-dir={profile}", "--remote-debugging-pipe",
            *switches,
        ]  # fmt: skip
        # The protocol is spoken on the descriptors 3 and 4.
        code = f"import os, sys; os.dup2({commands}, 3); os.dup2({answers}, 4); os.execv(sys.argv[1], sys.argv[1:])"
        start = [sys.executable, "-S", "-c", code, *arguments]
        self._process = subprocess.Popen(start, pass_fds=(commands, answers), stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self._received = b""
        self._number = 0
        self._session: str | None = None

    def __enter__(self) -> Browser:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.errors: list[str] = []
        self.call("Runtime.enable")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._commands)  # which ends the browser
        while os.read(self._answers, 1 << 16):
            pass
        os.close(self._answers)
        self._process.wait(DEADLINE)

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result; errors in the page are kept on the way.

        Parameters
        ----------
        session
            Of a frame; else the page's own.
        """
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if (session := session or self._session) is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._message())
            if answer.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(answer["params"]))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _message(self) -> bytes:
        parts = []
        while (end := self._received.find(b"\0")) < 0:
            parts.append(self._received)
            self._received = os.read(self._answers, 1 << 16)
            assert self._received, "the browser has ended"
        parts.append(self._received[:end])
        self._received = self._received[end + 1 :]
        return b"".join(parts)

    def evaluate(self, expression: str, session: str | None = None) -> Any:
        result = self.call("Runtime.evaluate", session, expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, url: str) -> None:
        self.call("Page.enable")
        self.call("Page.navigate", url=url)

    def until(self, expression: str) -> Any:
        """Wait until a JavaScript expression is true; returns its value."""
        limit = time.monotonic() + DEADLINE
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < limit, f"{expression} stays false: {self.evaluate('document.body.innerText')}"
            time.sleep(0.02)
        return value

    def drop(self, *files: Path) -> None:
        """Drop files on the page, as a person does."""
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=300, y=300, data=data)
