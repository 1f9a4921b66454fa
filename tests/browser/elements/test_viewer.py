"""The viewer in a real browser: what is seen, and what is told of it; by keyboard and by pointer."""

from __future__ import annotations

import io

import PIL.Image
import pytest

VIEWER = """\
import numpy as np
from orthanc_lab.widgets.elements.viewer import Viewer
from orthanc_lab.widgets.elements.slice_image import SliceImage, Spacing, ViewedStack, Window

def stack(title, low, size, places):
    def load(number):
        values = np.full((size, size), low + 10 * number)
        values[0] = low
        return SliceImage.of(
            values, place=places[number], spacing=Spacing(24 / size, 24 / size, "patient"),
            slope=2, intercept=-1024, unit="HU",
        )
    windows = [Window("Given", 100, 200), Window("Narrow", 50, 10)]
    captions = [f"Slice {number + 1}" for number in range(len(places))]
    return ViewedStack(len(places), load, windows, title, captions, places, frame_of_reference="1.2.3", rate=25)

def axial(count, step):
    return [(0.0, 0.0, step * number, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0) for number in range(count)]

viewer = Viewer(choices=[{"id": "second", "label": "Another"}])
viewer.observe(lambda change: viewer.compare("second", stack("Another", 0, 12, axial(15, 2))), "compared")
viewer.show(stack("First", 0, 8, axial(30, 1)), 5)
viewer"""


COUNTED = (
    VIEWER.replace("(size, size), low", "(64 * size, 64 * size), low")
    .replace(
        "viewer = Viewer(",
        """import ipywidgets
messages = ipywidgets.Label("0 messages")

class Counting(Viewer):
    heard = 0

    def _handle_msg(self, message):
        if message["content"]["data"].get("content", {}).get("kind") != "got":  # slices have come
            self.heard += 1
        messages.value = f"{self.heard} messages"
        super()._handle_msg(message)

viewer = Counting(""",
    )
    .replace("5)\nviewer", "5)\nipywidgets.VBox([viewer, messages])")
)


def press(area, *keys: str) -> None:
    for key in keys:
        area.page.keyboard.press(key)


def until_grey(area, low: int, high: int, pane: int = 0) -> None:
    area.page.wait_for_function(
        """([low, high, pane]) => {
          const all = [...document.querySelectorAll('.orthanc-viewer canvas')];
          const canvas = all.filter((one) => one.clientWidth)[pane];
          if (!canvas) return false;
          const at = [canvas.width / 2 + 40, canvas.height / 2 + 40];
          const value = canvas.getContext('2d').getImageData(...at, 1, 1).data[0];
          return low <= value && value <= high;
        }""",
        arg=[low, high, pane],
    )


@pytest.fixture
def area(shown):
    book = shown(VIEWER)
    yield book.area
    assert book.area.locator(".jp-Cell").count() == 1  # no key was a command of the notebook


def canvas(area, number: int = 0):
    return area.locator(".orthanc-viewer canvas").locator("visible=true").nth(number)


def test_slices_and_windows(area):
    until_grey(area, 62, 66)  # 50 of 0 … 200
    canvas(area).focus()
    press(area, "ArrowDown", "ArrowRight", "x", "q", "q")
    area.get_by_text("Slice 8", exact=True).wait_for()
    until_grey(area, 88, 92)
    press(area, "End")
    until_grey(area, 255, 255)
    press(area, "Home")
    until_grey(area, 0, 0)
    press(area, *["."] * 5)
    area.get_by_role("combobox", name="Window", exact=True).select_option("Narrow")
    until_grey(area, 120, 150)
    width = area.get_by_role("spinbutton", name="Width")
    width.fill("400")
    width.press("Enter")
    until_grey(area, 126, 130)
    menu = area.get_by_role("combobox", name="Window", exact=True)
    assert menu.evaluate("menu => menu.selectedOptions[0].text") == "By hand"


@pytest.mark.long
def test_everything_by_keyboard(area):
    until_grey(area, 62, 66)
    canvas(area).focus()
    press(area, "i")
    until_grey(area, 189, 193)
    press(area, "i", "v", "ArrowRight", "ArrowDown")
    live = area.locator(".orthanc-live")
    live.get_by_text("50 HU (537 × 2 − 1024) · column 5, row 5 · L 15.0 P 15.0 H 5.0 mm").wait_for(state="attached")
    press(area, "d", "Enter", "ArrowLeft", "ArrowLeft", "ArrowLeft", "Enter")
    live.get_by_text("9 mm").wait_for(state="attached")
    press(area, "r", "Enter", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "Enter")
    live.get_by_text("mean 50 HU, deviation 0, 50 to 50, 28.3 mm², 5 pixels").wait_for(state="attached")
    press(area, "Space")
    area.get_by_role("button", name="Stop").wait_for()
    press(area, "Space")
    area.get_by_role("button", name="Play").wait_for()


@pytest.mark.long
def test_a_second_series_and_three_planes(area):
    until_grey(area, 62, 66)
    area.get_by_role("combobox", name="Show", exact=True).select_option("beside")
    area.get_by_text("Choose the second series").wait_for()
    area.get_by_role("combobox", name="Second series").select_option("second")
    until_grey(area, 23, 29, pane=1)  # 20: the third slice, at 4 mm
    canvas(area).focus()
    press(area, "ArrowDown", "ArrowDown")
    until_grey(area, 36, 41, pane=1)
    area.get_by_role("combobox", name="Show", exact=True).select_option("over")
    area.get_by_role("spinbutton", name="Opacity, %").wait_for()
    area.get_by_role("combobox", name="Show", exact=True).select_option("planes")
    area.get_by_role("img", name="First · coronal 5 of 8").wait_for()
    area.get_by_role("img", name="First · sagittal 5 of 8").wait_for()
    with area.page.expect_download() as coming:
        area.get_by_role("button", name="Save PNG").click()
    assert coming.value.suggested_filename == "First-8.png"
    with PIL.Image.open(io.BytesIO(coming.value.path().read_bytes())) as picture:
        assert picture.width > 1000


@pytest.mark.long
def test_a_drag_sends_no_message(shown):
    area = shown(COUNTED).area
    page = area.page
    until_grey(area, 62, 66)
    for tool, kept in (("Window", 1), ("Scroll", 1), ("Move", 0), ("Zoom", 0), ("Value", 0), ("Region", 0)):
        area.get_by_role("radio", name=tool).click()
        box = canvas(area).bounding_box()
        before = count(area)
        page.mouse.move(box["x"] + 200, box["y"] + 150)
        page.mouse.down()
        for step in range(40):
            page.mouse.move(box["x"] + 200 + step, box["y"] + 150 + step)
        assert count(area) == before
        page.mouse.up()
        page.wait_for_function(
            "([label, number]) => label.textContent === `${number} messages`",
            arg=[messages(area).element_handle(), before + kept],
        )
        canvas(area).dblclick()


THOUSAND = """\
import ipywidgets
import numpy as np
from orthanc_lab.widgets.elements.viewer import Viewer
from orthanc_lab.widgets.elements.slice_image import SliceImage, ViewedStack, Window

held = {}
most = ipywidgets.Label()

class Weighed(Viewer):
    largest = 0

    def _send_slice(self, layer, told, data):
        for position in told["dropped"]:
            del held[position]
        held[told["position"]] = len(data)
        self.largest = max(self.largest, sum(held.values()))
        most.value = f"at most {self.largest} bytes"
        super()._send_slice(layer, told, data)

viewer = Weighed(budget=16 << 20)
load = lambda number: SliceImage.of(np.full((256, 256), number, "uint16"))
captions = [f"Slice {number + 1}" for number in range(1000)]
viewer.show(ViewedStack(1000, load, [Window("All", 500, 1000)], "Long", captions, rate=60))
ipywidgets.VBox([viewer, most])"""


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_thousand_slices_are_played_over_and_over_in_a_bounded_memory(shown):
    area = shown(THOUSAND).area
    area.get_by_role("img", name="Long · Slice 1", exact=True).wait_for()
    before = memory(area.page)
    area.get_by_role("button", name="Play").click()
    play_all(area.page, 1000)
    area.get_by_role("button", name="Stop").click()
    grown = memory(area.page) - before
    held = int(area.locator(".widget-label", has_text="at most").inner_text().split()[2])
    assert 15 << 20 < held <= 16 << 20
    assert grown < 24 << 20  # they are 131 MB in all


def play_all(page, count: int) -> None:
    """Wait until a cine has shown each of its slices, and has begun anew."""
    page.evaluate(
        """(count) => new Promise((done) => {
          const picture = [...document.querySelectorAll('.orthanc-viewer canvas')].find((one) => one.clientWidth);
          const seen = [];
          new MutationObserver(() => {
            const name = picture.getAttribute('aria-label');
            if (name === seen[19] && new Set(seen).size === count) done();
            seen.push(name);
          }).observe(picture, { attributeFilter: ['aria-label'] });
        })""",
        count,
    )


def memory(page) -> int:
    """Return the bytes of values that the page holds, after a garbage collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return session.send("Runtime.getHeapUsage")["backingStorageSize"]


def messages(area):
    return area.locator(".widget-label", has_text="messages")


def count(area) -> int:
    return int(messages(area).inner_text().split()[0])
