"""What a viewer draws: the values of a slice, and a window on them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

__all__ = ["SliceImage", "Values", "Window"]

Values = np.ndarray[Any, np.dtype[Any]]

_LARGEST = 1024  # pixels of a side; larger images are thinned out


@dataclass(frozen=True, slots=True)
class SliceImage:
    """The pixel values of a slice, or the reason why there are none."""

    data: bytes = b""
    rows: int = 0
    columns: int = 0
    kind: Literal["int16", "float32", "rgb", "none"] = "none"
    step: int = 1  # 2 if only every second pixel is kept, and so on
    words: str = ""

    @classmethod
    def of(cls, values: Values) -> SliceImage:
        """Return the image for values of shape (rows, columns), or (rows, columns, 3).

        Examples
        --------
        >>> image = SliceImage.of(np.zeros((2000, 10), "float32"))
        >>> image.rows, image.columns, image.kind, image.step
        (1000, 5, 'int16', 2)
        """
        step = -(-max(values.shape[:2]) // _LARGEST)
        values = values[::step, ::step]
        rows, columns = values.shape[:2]
        if values.ndim == 3:
            return cls(np.ascontiguousarray(values, "u1").tobytes(), rows, columns, "rgb", step)
        whole = values.astype("<i2") if _fits(values) else None
        if whole is not None and np.array_equal(whole, values):
            return cls(whole.tobytes(), rows, columns, "int16", step)
        return cls(values.astype("<f4").tobytes(), rows, columns, "float32", step)


def _fits(values: Values) -> bool:
    return bool(values.size and values.min() >= -32768 and values.max() <= 32767)


@dataclass(frozen=True, slots=True)
class Window:
    """The range of values that is drawn from black to white."""

    name: str
    center: float
    width: float

    def plain(self) -> dict[str, Any]:
        """Return the form that the browser reads."""
        return asdict(self)
