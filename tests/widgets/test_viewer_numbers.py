"""What the viewer computes in the browser: letters, places, planes, lengths, statistics; judged by numpy."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from orthanc_lab.widgets.elements.slice_image import Region, SliceImage, Spacing
from tests.programs import program
from tests.widgets.javascript import Script

AXIAL = [0, 0, 0, 1, 0, 0, 0, 1, 0]
MILLIMETRES = Spacing(1, 1, "patient")
OBLIQUE = np.array([[0.8, 0.36, 0.48], [-0.6, 0.48, 0.64]])  # orthonormal


@pytest.fixture(scope="module")
def js():
    script = Script(
        program("node"), "geometry", "volume", "measuring", "painting", "words", "transform", "scenes", "cine"
    )
    yield script
    script.close()


def picture(values, spacing=MILLIMETRES, place=None, **meaning):
    """Return an image as the browser has it."""
    image = SliceImage.of(np.asarray(values), spacing=spacing, place=place, **meaning)
    return image.plain() | {"values": np.asarray(values).ravel().tolist()}


# -- letters -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "told", "edges"),
    [
        (AXIAL, "", ("R", "L", "A", "P")),
        ([0, 0, 0, 0, 1, 0, 0, 0, -1], "", ("A", "P", "H", "F")),
        ([0, 0, 0, 1, 0, 0, 0, 0, -1], "", ("R", "L", "H", "F")),
        ([0, 0, 0, -1, 0, 0, 0, -1, 0], "", ("L", "R", "P", "A")),
        ([0, 0, 0, *OBLIQUE.ravel()], "", ("RFA", "LHP", "FLA", "HRP")),
        (None, r"L\F", ("R", "L", "H", "F")),
        (None, r"AR\FL", ("PL", "AR", "HR", "FL")),
        (None, r"<b>\F", ("", "", "H", "F")),
        (None, "", ("", "", "", "")),
    ],
)
def test_letters(js, place, told, edges):
    found = js("edgeLetters(place, told)", place=place, told=told)
    assert tuple(found[edge] for edge in ("left", "right", "top", "bottom")) == edges


def test_a_small_tilt_has_no_second_letter(js):
    for degrees, letters in ((9, "L"), (11, "LP"), (50, "PL")):
        angle = np.radians(degrees)
        assert js("lettersOf(it)", it=[np.cos(angle), np.sin(angle), 0]) == letters


@pytest.mark.parametrize(
    ("orientation", "name"),
    [
        ([1, 0, 0, 0, 1, 0], "axial"),
        ([0, 1, 0, 0, 0, -1], "sagittal"),
        ([1, 0, 0, 0, 0, -1], "coronal"),
        ([1, 0, 0, 0, np.cos(0.3), np.sin(0.3)], "oblique axial"),
    ],
)
def test_names_of_planes(js, orientation, name):
    assert js("planeName(it)", it=[0, 0, 0, *orientation]) == name


# -- places ------------------------------------------------------------------------


def affine(place, spacing):
    """Return what takes (column, row) to the patient, as PS3.3 C.7.6.2.1.1 says."""
    place = np.asarray(place)
    return np.column_stack([place[3:6] * spacing.column, place[6:9] * spacing.row, place[:3]])


@pytest.mark.parametrize("orientation", [AXIAL[3:], OBLIQUE.ravel().tolist()])
def test_points_of_pixels(js, orientation):
    place, spacing = [-12.5, 7, 40, *orientation], Spacing(2.5, 0.4, "patient")
    one = picture(np.zeros((4, 9)), spacing, place)
    point = js("pointOf(it, 7, 3)", it=one)
    assert point == pytest.approx(affine(place, spacing) @ [7, 3, 1])
    back = js("pixelOf(it, point)", it=one, point=point)
    assert (back["x"], back["y"], back["distance"]) == pytest.approx((7, 3, 0), abs=1e-9)
    words = js("placeWords(it, 7, 3)", it=one)
    parts = [f"{'LPH'[axis] if value >= 0 else 'RAF'[axis]} {abs(value):.1f}" for axis, value in enumerate(point)]
    assert words == f"column 7, row 3 · {' '.join(parts)} mm"


def layer(places, frame="1.2"):
    return {"count": len(places), "about": {"places": places, "frame": frame}}


def test_two_series_are_linked_by_place(js):
    first = layer([[0, 0, 3 * number, *AXIAL[3:]] for number in range(10)])
    backwards = layer([[50, 9, 28 - 2 * number, *AXIAL[3:]] for number in range(15)])
    shown = picture(np.zeros((4, 4)), place=first["about"]["places"][4])
    link = "counterpart(first, position, it, second)"
    assert js(link, first=first, position=4, it=shown, second=backwards) == {
        "position": 8,
        "isByPlace": True,
        "distance": 0,
    }
    for other in (layer(backwards["about"]["places"], "9.9"), layer([None] * 15)):
        assert js(link, first=first, position=9, it=shown, second=other) == {
            "position": 14,
            "isByPlace": False,
            "distance": 0,
        }
    alone = {"position": 0, "isByPlace": False, "distance": 0}
    assert js(link, first=layer([None], ""), position=0, it=shown, second=layer([None] * 3, "")) == alone


def test_one_picture_over_another(js):
    under = picture(np.zeros((8, 8)), Spacing(1, 1, "patient"), [10, 20, 0, *AXIAL[3:]])
    upper = picture(np.zeros((4, 4)), Spacing(2, 3, "patient"), [11, 24, 0, 0, 1, 0, 1, 0, 0])
    a, b, c, d, e, f = js("mapping(upper, under, true)", upper=upper, under=under)
    x, y = 2, 3
    point = affine(upper["place"], Spacing(2, 3)) @ [x, y, 1]
    assert (a * x + c * y + e, b * x + d * y + f) == pytest.approx((point[0] - 10, point[1] - 20))
    assert js("mapping(upper, under, false)", upper=upper, under=under) == [2, 0, 0, 2, 0.5, 0.5]


def test_how_far_the_second_series_is(js):
    words = "linkWords(counterpart(first, 4, it, second))"
    first = layer([[0, 0, 3 * number, *AXIAL[3:]] for number in range(10)])
    shown = picture(np.zeros((4, 4)), place=first["about"]["places"][4])
    for step, text in ((3, "same place"), (5, "2 mm away"), (1, "3 mm away")):
        other = layer([[0, 0, step * number, *AXIAL[3:]] for number in range(10)])
        assert js(words, first=first, it=shown, second=other) == text
    assert js(words, first=first, it=shown, second=layer(other["about"]["places"], "9")) == "same part of the series"


# -- planes ------------------------------------------------------------------------


def stack(orientation, step, spacing, shear=(0.0, 0.0), *, order=None):
    """Return places, slices and the values, in which each voxel has another value."""
    row, column = np.reshape(orientation, (2, 3))
    normal = np.cross(row, column)
    values = np.arange(6 * 5 * 4).reshape(6, 5, 4)
    numbers = order or range(6)
    places, slices = [], []
    for number in numbers:
        shift = row * shear[0] * spacing.column + column * shear[1] * spacing.row
        origin = np.array([5.0, -3.0, 100.0]) + number * (normal * step + shift)
        places.append([*origin, *row, *column])
        slices.append(picture(values[number], spacing, places[-1]))
    return places, slices, values


ORIENTATIONS = {
    "axial": [1, 0, 0, 0, 1, 0],
    "axial, feet first": [-1, 0, 0, 0, 1, 0],
    "coronal": [1, 0, 0, 0, 0, -1],
    "sagittal": [0, 1, 0, 0, 0, -1],
    "oblique": OBLIQUE.ravel().tolist(),
}
MAKE = """(() => {
  const layout = stackLayout(places, slices[0].spacing, slices[0].rows, slices[0].columns);
  return layout.problem ?? planeAcross(layout, (at) => slices[at], axis, index);
})()"""


@pytest.mark.parametrize("name", ORIENTATIONS)
@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_each_value_of_a_plane_is_that_of_its_place(js, name, axis, is_reversed):
    spacing = Spacing(0.5, 0.8, "patient")
    order = list(range(6))[:: -1 if is_reversed else 1]
    places, slices, values = stack(ORIENTATIONS[name], 2.5, spacing, order=order)
    plane = js(MAKE, places=places, slices=slices, axis=axis, index=2)
    to_patient = affine(plane["place"], Spacing(**{**plane["spacing"], "regions": ()}))
    row, column = np.reshape(ORIENTATIONS[name], (2, 3))
    found = np.array(plane["values"]).reshape(plane["rows"], plane["columns"])
    assert sorted(found.ravel()) == sorted((values[:, :, 2] if axis == "x" else values[:, 2, :]).ravel())
    for (y, x), value in np.ndenumerate(found):
        away = to_patient @ [x, y, 1] - [5, -3, 100]
        at = away @ np.cross(row, column) / 2.5, away @ column / 0.5, away @ row / 0.8
        assert values[tuple(np.round(at).astype(int))] == value


@pytest.mark.parametrize(
    ("name", "axis", "edges"),
    [
        ("axial", "y", "RLHF"),
        ("axial", "x", "APHF"),
        ("axial, feet first", "y", "RLHF"),
        ("coronal", "y", "RLAP"),
        ("coronal", "x", "APHF"),
        ("sagittal", "y", "RLAP"),
        ("sagittal", "x", "RLHF"),
    ],
)
def test_planes_are_hung_as_usual(js, name, axis, edges):
    places, slices, _ = stack(ORIENTATIONS[name], 2.5, Spacing(0.5, 0.8, "patient"))
    found = js(f"edgeLetters({MAKE}.place)", places=places, slices=slices, axis=axis, index=0)
    assert "".join(found[edge] for edge in ("left", "right", "top", "bottom")) == edges


def test_a_tilted_gantry(js):
    places, slices, values = stack(ORIENTATIONS["axial"], 2, Spacing(1, 1, "patient"), shear=(0, 0.5))
    plane = js(MAKE, places=places, slices=slices, axis="y", index=3)
    found = np.array(plane["values"], dtype=float).reshape(6, 4)[::-1]  # the head is on top
    for number in range(6):
        row = int(np.floor(3 - 0.5 * number + 0.5))
        assert np.array_equal(found[number], values[number, row])


def test_a_gap_stays_a_gap(js):
    places, slices, _ = stack(ORIENTATIONS["axial"], 2, Spacing(1, 1, "patient"), order=[0, 1, 2, 4, 5])
    plane = js(MAKE, places=places, slices=slices, axis="y", index=0)
    assert [value is None for value in plane["values"]] == [False] * 8 + [True] * 4 + [False] * 12
    assert plane["held"] == 5


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda places: [*places[:-1], None], "Its slices do not say where they lie."),
        (lambda places: places[:2], "Its slices do not say where they lie."),
        (lambda places: [*places, places[2]], "Several of its slices lie at the same place."),
        (lambda places: [*places[:-1], [0, 0, 500, 0, 1, 0, 0, 0, -1]], "Its slices are not parallel."),
        (lambda places: [*places, [5, -3, 1e9, *places[0][3:]]], "Its slices lie too far apart."),
    ],
)
def test_no_planes(js, change, problem):
    places, slices, _ = stack(ORIENTATIONS["axial"], 2, Spacing(1, 1, "patient"))
    assert js(MAKE, places=change(places), slices=slices, axis="x", index=0) == problem
    slices[0]["spacing"] = asdict(Spacing())
    assert js(MAKE, places=places, slices=slices, axis="x", index=0) == "It has no spacing in the patient."


# -- lengths and statistics ----------------------------------------------------------

ENDS = {"from": {"x": 1, "y": 1}, "to": {"x": 4, "y": 5}}


@pytest.mark.parametrize(
    ("spacing", "words"),
    [
        (Spacing(0.5, 2, "patient"), f"{np.hypot(3 * 2, 4 * 0.5):.1f} mm"),
        (Spacing(0.1, 0.1, "detector"), "0.5 mm at the detector"),
        (Spacing(0.1, 0.1, "calibrated"), "0.5 mm calibrated"),
        (Spacing(0.1, 0.1, "film"), "0.5 mm on the film"),
        (Spacing(0.1, 0.1, "unknown"), "0.5 mm not calibrated"),
        (Spacing(2, 1), "5 pixels"),
        (Spacing(kind="regions", regions=(Region(0, 0, 9, 9, 0.2, 0.1),)), f"{np.hypot(0.3, 0.8):.1f} mm"),
        (Spacing(kind="regions", regions=(Region(0, 0, 3, 9, 0.2, 0.1),)), "5 pixels not in one region"),
    ],
)
def test_lengths(js, spacing, words):
    one = picture(np.zeros((9, 9)), spacing)
    assert js("lengthWords(distanceOf(it, ends.from, ends.to))", it=one, ends=ENDS) == words


def ellipse(shape, ends):
    y, x = np.mgrid[: shape[0], : shape[1]]
    (x0, x1), (y0, y1) = ([ends[end][axis] for end in ("from", "to")] for axis in "xy")
    radius = abs(x1 - x0) / 2, abs(y1 - y0) / 2
    return ((x - (x0 + x1) / 2) / radius[0]) ** 2 + ((y - (y0 + y1) / 2) / radius[1]) ** 2 <= 1 + 1e-9


@pytest.mark.parametrize("ends", [ENDS, {"from": {"x": 17.5, "y": 2.25}, "to": {"x": -3, "y": 13}}])
@pytest.mark.parametrize("kind", ["i2", "f4"])
def test_statistics(js, ends, kind):
    values = np.random.default_rng(1).normal(-200, 300, (12, 20)).astype(kind)
    one = picture(values, Spacing(0.5, 2, "patient"))
    found = js("statisticsOf(it, ends.from, ends.to)", it=one, ends=ends)
    inside = values[ellipse(values.shape, ends)].astype(float)
    (channel,) = found["channels"]
    assert found["count"] == channel["count"] == inside.size
    assert (channel["mean"], channel["deviation"]) == pytest.approx((inside.mean(), inside.std()))
    assert (channel["least"], channel["most"]) == (inside.min(), inside.max())
    wide, high = (abs(ends["to"][axis] - ends["from"][axis]) for axis in "xy")
    assert (found["area"], found["unit"]) == (pytest.approx(np.pi / 4 * wide * 2 * high * 0.5), "mm²")


def test_statistics_of_colours_and_of_nothing(js):
    values = np.random.default_rng(1).integers(0, 256, (9, 9, 3), np.uint8)
    found = js("statisticsOf(it, ends.from, ends.to)", it=picture(values), ends=ENDS)
    inside = values[ellipse((9, 9), ENDS)]
    assert [one["mean"] for one in found["channels"]] == pytest.approx(inside.mean(axis=0))
    assert [one["deviation"] for one in found["channels"]] == pytest.approx(inside.std(axis=0))
    between = {"from": {"x": 0.2, "y": 0.2}, "to": {"x": 0.8, "y": 0.8}}
    words = "measureWords(it, {kind: 'region', ...ends})"
    assert js(words, it=picture(np.zeros((9, 9))), ends=between) == ["no pixel"]


def test_words_of_a_region(js):
    values = np.full((9, 9), -12.0)
    words = "measureWords(it, {kind: 'region', ...ends})"
    assert js(words, it=picture(values, unit="HU"), ends=ENDS) == [
        "mean −12 HU", "deviation 0", "−12 to −12", "9.4 mm²", "8 pixels",
    ]  # fmt: skip
    assert js(words, it=picture(values, Spacing()), ends=ENDS)[-1] == "8 pixels"
    assert js(words, it={**picture(values, Spacing()), "step": 2}, ends=ENDS)[-1].endswith("that was thinned out")


@pytest.mark.parametrize(
    ("meaning", "words"),
    [
        ({"unit": "HU", "slope": 2.0, "intercept": -1024.0}, "−24 HU (500 × 2 − 1024)"),
        ({"unit": "Bq/ml", "slope": 0.5}, "−24 Bq/ml (−48 × 0.5 + 0)"),
        ({}, "−24"),
    ],
)
def test_value_and_rescale(js, meaning, words):
    values = np.zeros((3, 4))
    values[2, 1] = -24
    one = picture(values, **meaning)
    assert js("valueWords(it, 1.4, 1.6)", it=one) == words
    assert js("valueWords(it, -1, 0) + valueWords(it, 0, 3)", it=one) == ""


def test_a_pixel_that_was_left_out_is_not_named(js):
    thinned = {**picture(np.zeros((3, 3))), "step": 2}
    found = [js("heldPixel(it, {x, y: 4.4})", it=thinned, x=x) for x in (-0.4, 1.4, 1.6, 3.4)]
    assert [pixel["x"] for pixel in found] == [0, 0, 2, 2]
    assert {pixel["y"] for pixel in found} == {4}


def test_a_colour(js):
    values = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    code = "valueWords({...it, values: Uint8Array.from(it.values)}, 1, 1)"
    assert js(code, it=picture(values)) == "red 9, green 10, blue 11"


# -- drawing -------------------------------------------------------------------------


@pytest.mark.parametrize(("center", "width"), [(40, 400), (-600, 1500), (0.5, 1), (127.5, 256)])
def test_grey_levels_are_those_of_the_standard(js, center, width):
    values = [-2000, -1000, -1, 0, 1, 39, 40, 41, 100, 127, 128, 239, 240, 3000]
    found = js("values.map((value) => levelOf(value, center, width))", values=values, center=center, width=width)
    at = np.array(values, dtype=float)
    span = max(width - 1, 1e-6)
    expected = np.clip(((at - (center - 0.5)) / span + 0.5) * 255, 0, 255)  # PS3.3 C.11.2.1.2.1
    assert found == np.floor(expected + 0.5).tolist()


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "float32"])
@pytest.mark.parametrize("step", [1, 3])
def test_painted_pixels(js, kind, step):
    values = np.random.default_rng(2).integers(0 if kind[0] == "u" else -200, 200, (7, 10))
    code = """(() => {
      const made = ARRAYS[kind].from(values);
      const picture = { kind, columns: 10, rows: 7, values: made, bits: BITS[kind] && new BITS[kind](made.buffer) };
      const part = seenPart(picture, { left: 2.5, top: 1, right: 8, bottom: 20 }, 1 / step);
      const pixels = new Uint32Array(part.wide * part.high);
      fillPixels(pixels, picture, part, makeTables(), { center: 50, width: 100 }, GREYS);
      return { ...part, pixels };
    })()"""
    found = js(code, kind=kind, values=values.ravel().tolist(), step=step)
    left, top = (2, 1) if step == 1 else (0, 0)
    seen = values[top:7:step, left:9:step]
    levels = np.floor(np.clip(((seen - 50 + 0.5) / 99 + 0.5) * 255, 0, 255) + 0.5).astype(int)
    assert (found["wide"], found["high"]) == seen.shape[::-1]
    assert np.array_equal(np.array(found["pixels"]).reshape(seen.shape) & 255, levels)


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16"])
def test_a_table_has_the_level_of_every_value(js, kind):
    code = """(() => {
      const tables = makeTables();
      const lowest = kind === "int16" ? -32768 : 0;
      return windows.map((window) => {
        const table = tables(kind, window, GREYS);
        const valueAt = (at) => (at > lowest + table.length - 1 ? at - 65536 : at);
        return table.findIndex((colour, at) => colour !== GREYS[levelOf(valueAt(at), window.center, window.width)]);
      });
    })()"""
    places = [(0, 1), (40, 400), (-600, 1500), (0.5, 1e-3), (-40000, 3), (70000, 10), (32767, 4), (-32768, 2), (0, 1e6)]
    found = js(code, kind=kind, windows=[{"center": center, "width": width} for center, width in places])
    assert found == [-1] * len(places)


def test_the_middle_of_the_values(js):
    values = np.random.default_rng(3).normal(0, 10, (40, 50)).astype("f4")
    window = js("middleWindow(it)", it=picture(values))
    low, high = np.quantile(values, [0.01, 0.99], method="nearest")
    assert (window["center"], window["width"]) == pytest.approx(((low + high) / 2, high - low), rel=1e-5)
    assert js("middleWindow(it)", it=picture(np.full((2, 2), 7))) == {"center": 7, "width": 1}


@pytest.mark.parametrize(("most", "length"), [(24.9, 20), (50, 50), (0.013, 0.01), (100, 100), (9.9, 5)])
def test_scale_bars_are_round(js, most, length):
    assert js("roundLength(most)", most=most) == pytest.approx(length)


def test_a_zoom_keeps_the_pixel_under_the_pointer(js):
    code = """(() => {
      const pane = { width: 300, height: 200 };
      const view = settled({ scale: null }, it, pane);
      const fixed = toPicture(view, pane, 40, 150);
      const moved = { ...view, ...zoomed(view, pane, 3, 40, 150) };
      return [view.scale, toPane(moved, pane, fixed.x, fixed.y), panned(moved, 6, 0).x - moved.x];
    })()"""
    one = picture(np.zeros((100, 50)), Spacing(2, 1, "patient"))
    scale, point, shift = js(code, it=one)
    assert scale == 1  # 100 rows are twice as high as columns are wide
    assert (point["x"], point["y"], shift) == pytest.approx((40, 150, -2))


# -- cine ------------------------------------------------------------------------------


@pytest.mark.parametrize(("repeat", "positions"), [("loop", [1, 2, 0, 1]), ("back", [1, 2, 1, 0, 1]), ("once", [1, 2])])
def test_the_order_of_a_cine(js, repeat, positions):
    code = """(() => {
      const found = [];
      let at = { position: 0, forward: true };
      while (found.length < most && (at = nextPosition(at.position, 3, at.forward, repeat))) found.push(at.position);
      return found;
    })()"""
    assert js(code, repeat=repeat, most=len(positions)) == positions


@pytest.mark.parametrize(("rate", "frames", "shown"), [(25, 60, 50), (60, 60, 120), (10, 60, 20), (60, 10, 20)])
def test_the_speed_of_a_cine(js, rate, frames, shown):
    """In two seconds of a screen with so many frames per second; what is late is not made up for."""
    code = """(() => {
      let [now, due, position] = [0, null, 0];
      globalThis.performance = { now: () => now };
      globalThis.requestAnimationFrame = (call) => { due = call; };
      const go = (at) => { position = at; };
      const cine = makeCine({ position: () => position, count: () => 1000, isThere: () => true, go, changed() {} });
      cine.rate = rate;
      cine.play();
      for (let at = 1; at <= 2 * frames; at++) {
        now = at * 1000 / frames;
        due(now);
      }
      cine.stop();
      return position;
    })()"""
    assert abs(js(code, rate=rate, frames=frames) - shown) <= 1
