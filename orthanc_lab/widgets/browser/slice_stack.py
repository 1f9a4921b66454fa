"""A series as a stack of slices: its instances and their frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_lab.client import Client, Instance
from orthanc_lab.widgets.browser.frame_facts import FrameFacts, facts_of, place_of, rate_of
from orthanc_lab.widgets.browser.header import Header
from orthanc_lab.widgets.browser.windows import given_windows, presets
from orthanc_lab.widgets.elements.slice_image import Place, SliceImage, Values, ViewedStack, Window

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

    Parameters
    ----------
    client
        Reads the instances.
    instances
        In the order of their slices.
    read_tags
        Returns the tags of an instance, by number; called in threads.

    Examples
    --------
    >>> read_tags = lambda instance: client.transport.get(f"{instance.path}/tags")
    >>> stack = SliceStack(client, client.series.find(Modality="CT")[0].instances, read_tags)
    >>> len(stack.slices), stack.caption(4)
    (20, 'Slice 5 of 20 · instance 5')
    """

    def __init__(
        self,
        client: Client,
        instances: Sequence[Instance],
        read_tags: Callable[[Instance], Mapping[str, Any]],
    ) -> None:
        self._client = client
        self._read_tags = read_tags
        self._main_tags = {instance.id: instance.tags for instance in instances}
        self._facts: dict[str, list[FrameFacts]] = {}  # of each frame, by instance
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

    def learn(self, instance: Instance, header: Header) -> None:
        """Take in the header of an instance."""
        count = max((one.frames for one in self.slices if one.id == instance.id), default=1)
        self._facts[instance.id] = [facts_of(header, frame) for frame in range(count)]

    def facts(self, position: int) -> FrameFacts:
        """Return what the header says of a slice; it is read if need be."""
        one = self.slices[position]
        if one.id not in self._facts:
            instance = self.instance(position)
            self.learn(instance, Header(self._read_tags(instance)))
        return self._facts[one.id][one.frame]

    def place(self, position: int) -> Place | None:
        """Return where a slice lies, as far as this is known without a request."""
        one = self.slices[position]
        if one.id in self._facts:
            return self._facts[one.id][one.frame].place
        tags = self._main_tags[one.id]
        if one.frames > 1:
            return None
        return place_of(tags.get("ImagePositionPatient", ""), tags.get("ImageOrientationPatient", ""))

    def values(self, position: int) -> Any:
        """Return the values of a slice."""
        values = self.instance(position).array(self.slices[position].frame)
        facts = self.facts(position)
        if facts.is_left_to_us and values.ndim == 2:
            values = values * facts.slope + facts.intercept
        self.seen(values)
        return values

    def sample(self, count: int) -> list[int]:
        """Return the positions of at most `count` slices that are spread over the stack."""
        last = len(self.slices) - 1
        return sorted({round(last * number / (count - 1)) for number in range(count)})

    def image(self, position: int) -> SliceImage:
        """Return a slice in the form that the viewer draws."""
        values, facts = self.values(position), self.facts(position)
        return SliceImage.of(
            values,
            place=facts.place,
            spacing=facts.spacing,
            slope=facts.slope,
            intercept=facts.intercept,
            unit=facts.unit,
        )

    def viewed(self, header: Header, position: int, *, title: str, all_values: Window) -> ViewedStack:
        """Return what a viewer shows, with the windows that suit the slice at `position`, whose header is given."""
        count = len(self.slices)
        given = given_windows(header, self.slices[position].frame)
        return ViewedStack(
            count,
            self.image,
            presets(header.text("0008,0060"), given, all_values),
            title=title,
            captions=[self.caption(number) for number in range(count)],
            places=[self.place(number) for number in range(count)],
            frame_of_reference=header.text("0020,0052"),
            letters="" if header.is_quadruped else header.text("0020,0020"),
            is_inverted=header.text("0028,0004") == "MONOCHROME1",
            rate=rate_of(header),
        )

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


_DOCUMENTS = {"application/pdf": "PDF", "model/stl": "STL", "model/obj": "OBJ", "model/mtl": "MTL"}


def reason_without_image(values: Mapping[str, Any]) -> str:
    """Return why an instance has no image, "" if it has one."""
    from pydicom.uid import UID  # noqa: PLC0415 - slow to import

    title = str(values.get("DocumentTitle") or "")
    if "EncapsulatedDocument" in values or "MIMETypeOfEncapsulatedDocument" in values:
        kind = _DOCUMENTS.get(str(values.get("MIMETypeOfEncapsulatedDocument") or "application/pdf"), "document")
        return f"Encapsulated {kind}{': ' if title else ''}{title}"
    if "Rows" in values:
        return ""
    return f"No image: {UID(str(values.get('SOPClassUID') or '')).name or 'an instance without an SOP class'}"
