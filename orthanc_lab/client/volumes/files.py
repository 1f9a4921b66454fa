"""Reading one file of a series, in the quickest way that does."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab.client.volumes.elements import find_elements
from orthanc_lab.client.volumes.images import Image, plain_image
from orthanc_lab.client.volumes.tag_numbers import TAGS

__all__ = ["read_image"]


def read_image(data: bytes, name: str, keywords: Mapping[str, int]) -> Image | None:
    """Return the frames of a file; None if it has no pixels.

    Parameters
    ----------
    name
        For messages: ``instance 5``.
    keywords
        The elements that a caller wants to choose by, with their tags.

    Raises
    ------
    ValueError
        If the pixels cannot be decoded; the message says why.
    """
    wanted = {tag: keyword for keyword, tag in {**TAGS, **keywords}.items()}
    found = find_elements(data, wanted)
    if found is not None:
        values = {wanted[tag]: value for tag, value in found.values.items()}
        image = plain_image(data, found, values, name)
        if image is not None:
            return image
    from orthanc_lab.client.volumes.functional_groups import read_by_pydicom  # noqa: PLC0415 - pydicom is slow to import

    return read_by_pydicom(data, name, {**TAGS, **keywords})
