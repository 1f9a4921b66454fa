"""What a viewer draws: the values of a slice with their meaning, and a window on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

__all__ = ["Place", "Region", "SliceImage", "Spacing", "Values", "ViewedStack", "Window"]

Values = np.ndarray[Any, np.dtype[Any]]

Place = tuple[float, ...]
"""The nine numbers of ImagePositionPatient and ImageOrientationPatient."""

_LARGEST = 4096  # pixels of a side; larger images are thinned out


@dataclass(frozen=True, slots=True)
class Region:
    """A part of an ultrasound image with the size of its pixels in mm; the corners belong to it."""

    left: int
    top: int
    right: int
    bottom: int
    row: float
    column: float


@dataclass(frozen=True, slots=True)
class Spacing:
    """The distance of two rows and of two columns, and where it is measured.

    Attributes
    ----------
    kind
        ``patient``, in the patient; ``detector``, at the detector of a projection; ``calibrated``, by an object of
        known size or by geometry; ``film``, on a scanned film; ``unknown``, in mm of a projection that does not say
        where; ``regions``, as its regions say; ``none``, in pixels, of which the shape alone is known.
    """

    row: float = 1.0
    column: float = 1.0
    kind: Literal["patient", "detector", "calibrated", "film", "unknown", "regions", "none"] = "none"
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class SliceImage:
    """The pixel values of a slice, or the reason why there are none.

    Attributes
    ----------
    step
        2 if only every second pixel is kept, and so on.
    place
        Where it lies in the patient.
    slope, intercept
        How a value is made of the stored one.
    unit
        Unit of the values, such as ``HU``.
    """

    data: bytes = field(default=b"", repr=False)
    rows: int = 0
    columns: int = 0
    kind: Literal["uint8", "int16", "uint16", "float32", "rgb", "none"] = "none"
    step: int = 1
    words: str = ""
    place: Place | None = None
    spacing: Spacing = Spacing()
    slope: float = 1.0
    intercept: float = 0.0
    unit: str = ""

    @classmethod
    def of(cls, values: Values, **meaning: Any) -> SliceImage:
        """Return the image for values of shape (rows, columns), or (rows, columns, 3).

        Parameters
        ----------
        values
            The values.
        meaning
            Place, spacing and so on.

        Examples
        --------
        >>> image = SliceImage.of(np.zeros((8000, 10), "float32"), unit="HU")
        >>> image.rows, image.columns, image.kind, image.step
        (4000, 5, 'uint8', 2)
        """
        step = -(-max(values.shape[:2]) // _LARGEST)
        values = values[::step, ::step]
        rows, columns = values.shape[:2]
        if values.ndim == 3:
            return cls(np.ascontiguousarray(values, "u1").tobytes(), rows, columns, "rgb", step, **meaning)
        for kind in ("uint8", "int16", "uint16"):
            whole = _as_whole(values, kind)
            if whole is not None:
                return cls(whole.tobytes(), rows, columns, kind, step, **meaning)
        return cls(values.astype("<f4").tobytes(), rows, columns, "float32", step, **meaning)

    @property
    def aspect(self) -> float:
        """How much higher than wide a pixel is."""
        spacing: Spacing | Region = self.spacing.regions[0] if self.spacing.regions else self.spacing
        return spacing.row / spacing.column

    def plain(self) -> dict[str, Any]:
        """Return everything but the values in the form that the browser reads."""
        names = ("rows", "columns", "kind", "step", "words", "place", "slope", "intercept", "unit")
        return {name: getattr(self, name) for name in names} | {"spacing": asdict(self.spacing)}


def _as_whole(values: Values, kind: Literal["uint8", "int16", "uint16"]) -> Values | None:
    """Return the same values as integers, None if they are others."""
    limits = np.iinfo(kind)
    if not values.size or not (values.min() >= limits.min and values.max() <= limits.max):
        return None
    whole = values.astype(np.dtype(kind).newbyteorder("<"))
    return whole if np.array_equal(whole, values) else None


@dataclass(frozen=True, slots=True)
class Window:
    """The range of values that is drawn from black to white."""

    name: str
    center: float
    width: float

    def plain(self) -> dict[str, Any]:
        """Return the form that the browser reads."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ViewedStack:
    """A stack of slices, as a viewer shows it.

    Attributes
    ----------
    count
        Number of slices.
    load
        Returns a slice; called in a thread.
    windows
        The windows to choose from; the first is applied.
    title
        Name of the series.
    captions
        A description of each slice, also for screen readers.
    places
        Where each slice lies in the patient, as far as it is known before the slice is loaded.
    frame_of_reference
        FrameOfReferenceUID: only in the same one, two series have positions that can be compared.
    letters
        PatientOrientation, for images without a position.
    is_inverted
        Whether low values are white.
    rate
        Frames per second at which it is played.
    """

    count: int
    load: Callable[[int], SliceImage]
    windows: Sequence[Window]
    title: str = ""
    captions: Sequence[str] = ()
    places: Sequence[Place | None] = ()
    frame_of_reference: str = ""
    letters: str = ""
    is_inverted: bool = False
    rate: float = 10.0

    def caption(self, position: int) -> str:
        """Return the description of a slice."""
        return self.captions[position] if position < len(self.captions) else f"Slice {position + 1} of {self.count}"

    def plain(self) -> dict[str, Any]:
        """Return what does not change in the form that the browser reads."""
        return {
            "title": self.title,
            "captions": [self.caption(position) for position in range(self.count)],
            "places": [*self.places] or [None] * self.count,
            "frame": self.frame_of_reference,
            "letters": self.letters,
            "is_inverted": self.is_inverted,
            "rate": self.rate,
        }
