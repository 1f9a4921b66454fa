"""How images are stacked: any position, direction and order; and what is said of stacks that are none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_lab.client.volumes.geometry import Plane, grid_of, letters_of

distances = st.floats(0.05, 20)
angles = st.floats(-180, 180)
places = st.tuples(*[st.floats(-500, 500)] * 3)


def rotation(x: float, y: float, z: float) -> np.ndarray:
    a, b, c = np.radians([x, y, z])
    around_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    around_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    around_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return around_z @ around_y @ around_x


def stack(
    count: int,
    *,
    step: float = 2.0,
    origin: tuple[float, ...] = (0, 0, 0),
    turn: tuple[float, ...] = (0, 0, 0),
    spacing: tuple[float, float] = (0.5, 0.7),
    tilt: float = 0,
) -> list[Plane]:
    """Return planes one behind the other; coordinates are rounded as in a file (VR DS has 16 characters)."""
    turned = rotation(*turn)
    rows, columns, normal = turned.T
    way = normal * step + columns * step * np.tan(np.radians(tilt))
    orientation = tuple(round(float(number), 9) for number in (*rows, *columns))
    return [
        Plane(
            f"instance {number + 1}",
            tuple(round(float(place), 6) for place in np.asarray(origin) + number * way),
            orientation,
            spacing,
            step,
        )
        for number in range(count)
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.permutations(range(12)),
    distances,
    places,
    st.tuples(angles, angles, angles),
    st.tuples(distances, distances),
)
def test_every_voxel_is_where_its_file_says(
    order: list[int],
    step: float,
    origin: tuple[float, ...],
    turn: tuple[float, ...],
    spacing: tuple[float, float],
) -> None:
    stacked = stack(12, step=step, origin=origin, turn=turn, spacing=spacing)
    planes = [stacked[number] for number in order]
    grid = grid_of(planes)
    assert grid.problems == ()
    assert grid.affine is not None
    assert grid.spacing == pytest.approx((step, *spacing), rel=1e-4, abs=1e-5)
    assert (grid.tilt, grid.remarks) == (0, ())
    for index, number in enumerate(grid.order):
        plane = planes[number]
        rows, columns = np.array(plane.orientation[:3]), np.array(plane.orientation[3:])
        # PS3.3 section C.7.6.2.1.1
        expected = np.array(plane.position) + 3 * spacing[1] * rows + 5 * spacing[0] * columns
        assert grid.affine @ [index, 5, 3, 1] == pytest.approx([*expected, 1], abs=1e-3)
    assert np.linalg.det(grid.affine[:3, [2, 1, 0]]) > 0  # slices rise along the normal


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 20), st.integers(1, 18), distances, st.tuples(angles, angles, angles))
def test_a_missing_slice_is_named(count: int, gap: int, step: float, turn: tuple[float, ...]) -> None:
    planes = stack(count + 1, step=step, turn=turn)
    del planes[1 + gap % (count - 1)]
    grid = grid_of(planes)
    place = 1 + gap % (count - 1)
    assert grid.affine is None
    assert grid.spacing[0] is None
    if count > 3:
        assert f"instance {place} and instance {place + 2}" in grid.problems[0]


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 20), st.floats(1, 60), st.tuples(angles, angles, angles))
def test_a_tilt_is_said_and_kept(count: int, tilt: float, turn: tuple[float, ...]) -> None:
    planes = stack(count, tilt=tilt, turn=turn)
    grid = grid_of(planes)
    assert grid.problems == ()
    assert grid.tilt == pytest.approx(tilt, abs=0.01)
    assert "tilted" in grid.remarks[0]
    assert grid.affine is not None
    last = np.array(planes[-1].position)
    assert grid.affine @ [count - 1, 0, 0, 1] == pytest.approx([*last, 1], abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(places, st.tuples(*[st.floats(-2, 2)] * 6)), min_size=1, max_size=6))
def test_any_numbers_give_a_grid_or_say_why_not(numbers: list[tuple[tuple[float, ...], tuple[float, ...]]]) -> None:
    grid = grid_of([Plane(f"instance {n}", place, directions) for n, (place, directions) in enumerate(numbers)])
    assert sorted(grid.order) == list(range(len(numbers)))
    assert (grid.affine is None) == bool(grid.problems or grid.spacing[0] is None)


def test_images_at_the_same_place() -> None:
    planes = stack(3) + stack(3)
    grid = grid_of(planes)
    assert grid.problems[0].startswith("At the same place: instance 1 and instance 1")
    assert (grid.affine, grid.twins) == (None, 2)


def test_other_directions_and_sizes_of_pixels() -> None:
    turned = stack(1, turn=(90, 0, 0))[0]
    scaled = stack(1, spacing=(1.0, 1.0), origin=(0, 0, 8))[0]
    problems = grid_of([*stack(4), turned, scaled]).problems
    assert problems[0] == "Other directions (ImageOrientationPatient) than instance 1: instance 1"
    assert problems[1] == "Other distances of pixels (PixelSpacing) than instance 1: instance 1"


def test_distances_that_differ() -> None:
    planes = [stack(1, origin=(0, 0, place))[0] for place in (0, 2, 4, 5, 7)]
    (problem,) = grid_of(planes).problems
    assert problem.startswith("The distances of slices differ: they are mostly 2.00 mm apart, but not instance 1 and")


def test_slices_that_drift_sideways() -> None:
    planes = [stack(1, origin=(place**2 / 4, 0, place))[0] for place in range(5)]
    assert grid_of(planes).problems == ("The slices are not stacked along a straight line, or drift",)


def test_directions_that_are_not_perpendicular() -> None:
    plane = Plane("instance 1", (0, 0, 0), (1, 0, 0, 1, 0, 0), (1, 1), 1)
    assert "perpendicular" in grid_of([plane]).problems[0]


def test_a_single_slice() -> None:
    (plane,) = stack(1, step=3)
    grid = grid_of([plane])
    assert (grid.spacing, grid.remarks) == ((3, 0.5, 0.7), (grid.remarks[0],))
    assert "SliceThickness" in grid.remarks[0]
    bare = Plane(plane.name, plane.position, plane.orientation, plane.pixel_spacing)
    assert (grid_of([bare]).affine, grid_of([bare]).spacing) == (None, (None, 0.5, 0.7))


def test_images_without_a_place() -> None:
    bare = [Plane(f"instance {number}", pixel_spacing=(0.2, 0.3)) for number in range(3)]
    grid = grid_of(bare)
    assert (grid.order, grid.spacing, grid.affine, grid.problems) == ((0, 1, 2), (None, 0.2, 0.3), None, ())
    assert "order of their numbers" in grid.remarks[0]
    assert grid_of([*stack(2), *bare]).problems == ("Without a place in space: instance 0, instance 1, instance 2",)


@pytest.mark.parametrize(
    ("turn", "letters"), [((0, 0, 0), "SPL"), ((-90, 0, 0), "PIL"), ((0, 0, 180), "SAR"), ((180, 0, 0), "IAL")]
)
def test_letters(turn: tuple[float, ...], letters: str) -> None:
    affine = grid_of(stack(3, turn=turn)).affine
    assert affine is not None
    assert letters_of(affine) == letters
