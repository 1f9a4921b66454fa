"""Make the images for the README: the demo in a terminal (SVG) and the page in a browser (PNG, needs chromium).

Run ``python docs/make_pictures.py`` in an environment that has the package.
"""

import html
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import orthanc_lab
from orthanc_lab import samples

HERE = Path(__file__).resolve().parent
COLOURS = {"1;36": "#7fd7ff", "2": "#8b949e", "32": "#56d364"}
LINE, TOP, LEFT, WIDTH = 18, 34, 16, 108


def demo_output() -> str:
    """Run the demo in a pseudo-terminal and return its output."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "orthanc_lab", "demo", "--once", "--port", "0"]
    with subprocess.Popen(command, stdout=child, stderr=subprocess.DEVNULL) as process:
        os.close(child)
        written = b""
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:  # the other end of the terminal was closed
                break
            if not part:
                break
            written += part
        process.wait()
    os.close(parent)
    return written.decode()


def last_states(text: str) -> list[str]:
    """Return the final state of the lines: a bar redrawn in place shows its last state."""
    return [line.rstrip("\r").split("\r")[-1] for line in text.split("\n")]


def spans(line: str) -> str:
    """Return a line with its colours as SVG text spans."""
    out, colour, room = [], "#e6edf3", WIDTH
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b["):
            colour = COLOURS.get(part[2:-1], "#e6edf3")
        elif part and room > 0:
            out.append(f'<tspan fill="{colour}">{html.escape(part[:room])}</tspan>')
            room -= len(part)
    return "".join(out)


def terminal_svg(lines: list[str]) -> str:
    """Return a terminal window with these lines."""
    height = TOP + LINE * len(lines) + 14
    width = LEFT * 2 + round(WIDTH * 7.8)
    rows = "\n".join(
        f'<text x="{LEFT}" y="{TOP + LINE * (index + 1)}" xml:space="preserve">{spans(line)}</text>'
        for index, line in enumerate(lines)
    )
    dots = "".join(
        f'<circle cx="{20 + 20 * index}" cy="18" r="6" fill="{colour}"/>'
        for index, colour in enumerate(("#ff5f56", "#ffbd2e", "#27c93f"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        ' aria-label="orthanc-lab demo in a terminal">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>{dots}\n'
        f'<g font-family="ui-monospace, DejaVu Sans Mono, monospace" font-size="13">\n{rows}\n</g>\n</svg>\n'
    )


def page_picture(path: Path) -> None:
    """Take a screenshot of the page with the sample data."""
    browser = shutil.which("chromium")
    if browser is None:
        raise SystemExit("The screenshot needs chromium: apt-get install chromium")
    with orthanc_lab.serve(Name="demo") as server:
        for item in samples.dicom_files():
            server.session.post(f"{server.url}/instances", data=item.read_bytes()).raise_for_status()
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--window-size=1100,420", "--virtual-time-budget=5000", f"--screenshot={path}",
             f"{server.url}/app/explorer.html"],
            check=True, capture_output=True,
        )  # fmt: skip


def main() -> None:
    """Write both images to the folder of this file."""
    text = re.sub(r"/[^ ]*/(?=storage)", "…/", demo_output())
    lines = ["\x1b[2m$ orthanc-lab demo", *last_states(text)]
    while not lines[-1].strip():
        lines.pop()
    (HERE / "demo.svg").write_text(terminal_svg(lines), encoding="utf-8")
    page_picture(HERE / "page.png")


if __name__ == "__main__":
    main()
