"""Runs the pure parts of the JavaScript of elements in Node.js."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import orthanc_lab.widgets.elements

__all__ = ["Script"]

ELEMENTS = Path(orthanc_lab.widgets.elements.__file__).parent
SERVE = """
const plain = (key, value) => {
  if (ArrayBuffer.isView(value)) return [...value].map((one) => (Number.isNaN(one) ? null : one));
  return value === undefined ? null : value;
};
let rest = "";
process.stdin.on("data", (chunk) => {
  const lines = (rest + chunk).split("\\n");
  rest = lines.pop();
  for (const line of lines) {
    const { code, names } = JSON.parse(line);
    let answer;
    try {
      const run = new Function("scope", ...Object.keys(names), `with (scope) { return (${code}); }`);
      answer = { value: run(scope, ...Object.values(names)) };
    } catch (error) {
      answer = { error: String(error.stack) };
    }
    process.stdout.write(JSON.stringify(answer, plain) + "\\n");
  }
});
"""


class Script:
    """Some files of elements, loaded once; each call evaluates an expression in which their functions are known."""

    def __init__(self, node: str, *parts: str) -> None:
        text = "".join((ELEMENTS / f"{name}.js").read_text("utf-8") for name in parts)
        names = "".join(f"get {name}() {{ return {name}; }}," for name in _declared(text))
        self._process = subprocess.Popen(
            [node, "-e", f"{text}\nconst scope = {{ {names} }};\n{SERVE}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __call__(self, code: str, **names: Any) -> Any:
        """Evaluate an expression with some names."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"code": code, "names": names}, default=float) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def close(self) -> None:
        """End Node.js."""
        self._process.communicate()


def _declared(text: str) -> list[str]:
    found = []
    for line in text.splitlines():
        words = line.replace("(", " ").split()
        if line[:1].isalpha() and words[0] in ("function", "const") and words[1].isidentifier():
            found.append(words[1])
    return found
