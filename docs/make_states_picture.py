"""Put the diagram of the states of a job into lesson 02; needs chromium, and the extras ``docs`` and ``test``.

Run ``python docs/make_states_picture.py`` after a change of the state machine. JupyterLab shows no attached SVG, so it
is a PNG, with its words as the alternative text.
"""

import base64
import io
import shutil
import sys
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "extension"))
from job_states import arrows, in_words, svg  # noqa: E402 - found by the line above

LESSON = HERE.parent / "notebooks" / "02_jobs.ipynb"
CELL, NAME = "states-words", "states.png"
STYLE = """
body { margin: 8px; width: 760px; background: #fff; font-family: system-ui, sans-serif; }
.arrow { fill: none; stroke: #555; stroke-width: 1.5; marker-end: url(#tip); }
.after { stroke-dasharray: 5 4; }
marker path { fill: #555; }
text { fill: #111; font-size: 13px; text-anchor: middle; paint-order: stroke; stroke: #fff; stroke-width: 5px; }
.name { font-size: 15px; font-weight: 600; stroke: none; }
.state { fill: #f3f6fa; stroke: #1976d2; stroke-width: 1.5; }
.final { stroke-width: 3; }
"""


def main() -> None:
    """Draw it, and write the lesson."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 776, "height": 390}, device_scale_factor=1.5)
        page.set_content(f"<style>{STYLE}</style>{svg(arrows())}")
        picture = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    out = io.BytesIO()
    picture.convert("RGB").quantize(32, dither=Image.Dither.NONE).save(out, "png", optimize=True)
    notebook = nbformat.read(LESSON, as_version=4)
    (cell,) = [cell for cell in notebook.cells if cell.id == CELL]
    cell.attachments = {NAME: {"image/png": base64.b64encode(out.getvalue()).decode("ascii")}}
    before, _, rest = cell.source.partition("\n![")
    cell.source = f"{before}\n![{in_words(arrows())}](attachment:{NAME}){rest.partition(')')[2]}"
    nbformat.write(notebook, LESSON)


if __name__ == "__main__":
    main()
