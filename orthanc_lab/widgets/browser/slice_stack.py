"""A series as a stack of slices: its instances and their frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_lab.client import Client, Instance
from orthanc_lab.widgets.elements.slice_image import SliceImage, Values

__all__ = ["Slice", "SliceStack", "reason_without_image", "values_by_keyword"]


@dataclass(frozen=True, slots=True)
class Slice:
    """One frame of one instance."""

    id: str  # of the instance
    number: int  # InstanceNumber
    frame: int
    frames: int  # of the instance


class SliceStack:
    """The slices of several instances, in order.

    Examples
    --------
    >>> stack = SliceStack(client, client.series.find(Modality="CT")[0].instances)
    >>> len(stack.slices), stack.caption(4)
    (20, 'Slice 5 of 20 · instance 5')
    """

    def __init__(self, client: Client, instances: Sequence[Instance]) -> None:
        self._client = client
        self.seen: Callable[[Values], object] = lambda values: None  # called with the values of each slice
        self.ids = [instance.id for instance in instances]
        self.slices = [
            Slice(instance.id, instance.number, frame, frames)
            for instance in instances
            for frames in [_frames(instance, is_alone=len(instances) == 1)]
            for frame in range(frames)
        ]

    def instance(self, position: int) -> Instance:
        """Return the instance of a slice."""
        return Instance(self._client.transport, self.slices[position].id)

    def find(self, id: str) -> int | None:
        """Return the position of the first slice of an instance."""
        return next((at for at, one in enumerate(self.slices) if one.id == id), None)

    def values(self, position: int) -> Any:
        """Return the values of a slice."""
        values = self.instance(position).array(self.slices[position].frame)
        self.seen(values)
        return values

    def sample(self, count: int) -> list[int]:
        """Return the positions of at most `count` slices that are spread over the stack."""
        last = len(self.slices) - 1
        return sorted({round(last * number / (count - 1)) for number in range(count)})

    def image(self, position: int) -> SliceImage:
        """Return a slice in the form that the viewer draws."""
        return SliceImage.of(self.values(position))

    def caption(self, position: int) -> str:
        """Return a description of a slice's place in the stack."""
        one = self.slices[position]
        instance = f"instance {one.number}" if one.number else ""
        if len(self.slices) == 1:
            words = ["Single image", instance]
        elif len(self.ids) == 1:
            words = [f"Frame {one.frame + 1} of {one.frames}", instance]
        else:
            frame = f"frame {one.frame + 1} of {one.frames}" if one.frames > 1 else ""
            words = [f"Slice {position + 1} of {len(self.slices)}", instance, frame]
        return " · ".join(word for word in words if word)


def _frames(instance: Instance, *, is_alone: bool) -> int:
    told = instance.tags.get("NumberOfFrames", "").strip()
    if told.isdecimal():
        return max(int(told), 1)
    # If the server's index lacks NumberOfFrames, it is fetched, provided that this takes only one request.
    return max(instance.frames, 1) if is_alone else 1


def values_by_keyword(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the top-level values by keyword from a response of ``/instances/{id}/tags``."""
    return {element["Name"]: element["Value"] for element in tags.values()}


def reason_without_image(values: Mapping[str, Any]) -> str:
    """Return why an instance has no image, "" if it has one."""
    from pydicom.uid import UID  # noqa: PLC0415 - slow to import

    title = str(values.get("DocumentTitle") or "")
    if "EncapsulatedDocument" in values or "MIMETypeOfEncapsulatedDocument" in values:
        kind = "PDF" if values.get("MIMETypeOfEncapsulatedDocument", "application/pdf") == "application/pdf" else ""
        return f"Encapsulated {kind or 'document'}{': ' if title else ''}{title}"
    if "Rows" in values:
        return ""
    return f"No image: {UID(str(values.get('SOPClassUID') or '')).name or 'an instance without an SOP class'}"
