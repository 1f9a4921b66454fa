"""Frames as pictures: ``preview``, ``rendered``, ``image-uint8``, ``image-uint16``, ``image-int16``."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from orthanc_lab.dicom.codecs.pixels import Array, decode_frame
from orthanc_lab.dicom.files.read import DicomFile
from orthanc_lab.dicom.images import picture_files
from orthanc_lab.dicom.images.image_description import ImageDescription, describe_image
from orthanc_lab.dicom.images.raw_frames import packed_size
from orthanc_lab.dicom.images.rendering import Window, preview, render, rescale_of, resize, truncate, window_of
from orthanc_lab.dicom.limits import may_unpack
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.warnings import WarningLog
from orthanc_lab.rest.http.accept_header import preferred_type
from orthanc_lab.rest.http.answers import EmptyAnswer
from orthanc_lab.rest.http.arguments import flag, query_arguments
from orthanc_lab.rest.http.frame_numbers import frame_number
from orthanc_lab.rest.instances.instance_files import InstanceFiles
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["Picture", "Placeholder", "Preview", "Rendered", "Truncated", "make_int16", "make_uint8", "make_uint16"]

_PNG, _JPEG, _PAM = "image/png", "image/jpeg", "image/x-portable-arbitrarymap"
_UNSUPPORTED = "app/images/unsupported.png"
_COPIES = 4  # of the pixels at the same time: decoded, in single precision or filtered
_UNAVAILABLE = 503
_Drawing = Callable[[Array], Array]
_UNSIGNED = re.compile(r"(?:\+?[0-9]{1,10}|-0{1,10})\Z", re.ASCII)


class Picture(ABC):
    """A frame as a picture; if it cannot be shown, 415 or a redirection to a placeholder."""

    types: tuple[str, ...] = (_PNG, _JPEG, _PAM)

    def __init__(self, services: Services) -> None:
        self._storage = services.storage
        self._files = InstanceFiles(services)
        self._memory = services.memory
        self._warnings = WarningLog(services.settings["Warnings"])
        self._decodes = services.settings["BuiltinDecoderTranscoderOrder"] != "Disabled"

    @abstractmethod
    def drawing(
        self, file: DicomFile, description: ImageDescription, frame: int, arguments: dict[str, str]
    ) -> _Drawing:
        """Check the arguments, and return what makes the samples to write from the decoded frame."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, frame: str = "0") -> None:
        """Answer the picture in the format that ``Accept`` asks for."""
        if self._storage.find_level(id) is not Level.INSTANCE:
            raise EmptyAnswer(404)
        number = frame_number(frame)
        arguments = query_arguments(req)
        try:
            if not self._decodes:
                raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
            file = self._files.whole(id)
            description = describe_image(file.data_set)
            size = min(description.decoded_bytes, may_unpack(packed_size(file)))
            with self._memory.reserve(_COPIES * size):
                decoded = decode_frame(file, number, description)
                drawing = self.drawing(file, description, number, arguments)
                quality = _quality(arguments)
                media_type = preferred_type(req.get_header("Accept"), (_PNG, _JPEG, _PAM))
                if media_type not in self.types:
                    raise EmptyAnswer(404)
                resp.data = _write(drawing(decoded), media_type, quality)
        except OrthancError as error:
            if error.status == _UNAVAILABLE:
                raise
            if error.code == ErrorCode.UNKNOWN_RESOURCE:
                raise EmptyAnswer(404) from error
            self._warnings.write("W003", number, id)
            raise _refusal(req, arguments) from error
        resp.content_type = media_type


class Preview(Picture):
    """Gray values stretched from black to white."""

    def drawing(
        self, file: DicomFile, description: ImageDescription, frame: int, arguments: dict[str, str]
    ) -> _Drawing:
        """Return what makes 8-bit samples."""
        return lambda decoded: preview(decoded, description)


class Rendered(Picture):
    """Gray values seen through the window of the file or of the request, at the size of the request."""

    def drawing(
        self, file: DicomFile, description: ImageDescription, frame: int, arguments: dict[str, str]
    ) -> _Drawing:
        """Return what makes 8-bit samples; sizes and windows that are not numbers are refused with 404/empty."""
        window = window_of(file.data_set, description, frame)
        center = _float_argument(arguments, "window-center")
        width = _float_argument(arguments, "window-width")
        size = _size_argument(arguments, "width"), _size_argument(arguments, "height")
        smooth = "smooth" in arguments and _smooth(arguments["smooth"])
        window = Window(window.center if center is None else center, window.width if width is None else width)
        rescale = rescale_of(file.data_set, frame)
        return lambda decoded: resize(render(decoded, description, rescale, window), *size, smooth=smooth)


class Truncated(Picture):
    """Gray values as they are, clipped to the limits of a type."""

    def __init__(self, services: Services, low: int, high: int) -> None:
        super().__init__(services)
        self._low, self._high = low, high
        if high > 255:
            self.types = (_PNG, _PAM)

    def drawing(
        self, file: DicomFile, description: ImageDescription, frame: int, arguments: dict[str, str]
    ) -> _Drawing:
        """Return what makes samples of the type."""
        return lambda decoded: truncate(decoded, self._low, self._high)


class Placeholder:
    """The picture that ``returnUnsupportedImage`` leads to: a crossed gray square."""

    def __init__(self, services: Services) -> None:
        size = 256
        pixels = np.full((size, size), 0x80, np.uint8)
        for offset in (-1, 0, 1):
            np.fill_diagonal(pixels[max(offset, 0) :, max(-offset, 0) :], 0xFF)
        self._png = picture_files.png(np.maximum(pixels, pixels[:, ::-1]))

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the PNG."""
        resp.content_type = _PNG
        resp.data = self._png


def _write(pixels: Array, media_type: str, quality: int) -> bytes:
    if media_type == _JPEG:
        return picture_files.jpeg(pixels, quality)
    return picture_files.pam(pixels) if media_type == _PAM else picture_files.png(pixels)


def _quality(arguments: dict[str, str]) -> int:
    text = arguments.get("quality", "90")
    if _UNSIGNED.match(text) is None or not 1 <= int(text) <= 100:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
    return int(text)


def _float_argument(arguments: dict[str, str], name: str) -> float | None:
    text = arguments.get(name)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        raise EmptyAnswer(404) from None
    if "_" in text or (math.isinf(number) and "inf" not in text.lower()):
        raise EmptyAnswer(404)
    return number


def _size_argument(arguments: dict[str, str], name: str) -> int:
    text = arguments.get(name, "0")
    if _UNSIGNED.match(text) is None or int(text) >= 2**32:
        raise EmptyAnswer(404)
    return int(text)


def _smooth(text: str) -> bool:
    value = {"0": False, "1": True, "false": False, "true": True}.get(text)
    if value is None:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
    return value


def _refusal(req: falcon.Request, arguments: dict[str, str]) -> EmptyAnswer:
    if not flag(arguments, "returnUnsupportedImage"):
        return EmptyAnswer(415)
    depth = len([step for step in req.path.split("/") if step]) - 1
    return EmptyAnswer(307, {"Location": "../" * depth + _UNSUPPORTED})


make_uint8 = partial(Truncated, low=0, high=255)
make_uint16 = partial(Truncated, low=0, high=65535)
make_int16 = partial(Truncated, low=-32768, high=32767)
