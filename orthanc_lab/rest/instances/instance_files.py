"""The DICOM file of an instance, read for the resources that show its contents."""

from __future__ import annotations

from orthanc_lab.dicom.dictionary.tags import PIXEL_DATA
from orthanc_lab.dicom.files.data_set import Element
from orthanc_lab.dicom.files.read import DicomFile, read_file
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.answers import unknown_resource
from orthanc_lab.rest.services import Services

__all__ = ["InstanceFiles"]


class InstanceFiles:
    """Reads the files of instances; an unknown instance is refused with code 17.

    Parameters
    ----------
    services
        Where the files and the configuration are.
    """

    def __init__(self, services: Services) -> None:
        self._storage = services.storage
        self.dictionary = services.dictionary
        self._settings = services.settings
        self._memory = services.memory

    @property
    def default_encoding(self) -> str:
        """The option ``DefaultEncoding``, which a client may change."""
        encoding: str = self._settings["DefaultEncoding"]
        return encoding

    def dicom(self, id: str) -> bytes:
        """Return the bytes of the file.

        Raises
        ------
        OrthancError
            17 if the instance is unknown.
        """
        return self._storage.read_dicom(id)

    def whole(self, id: str) -> DicomFile:
        """Return the whole file, pixel data included."""
        return read_file(self.dicom(id), self.dictionary, memory=self._memory)

    def version_of_header(self, id: str) -> str:
        """Return a text that changes whenever the answer of `header` may change.

        Raises
        ------
        OrthancError
            17 if the instance is unknown.
        """
        instance = self._storage.get(id, Level.INSTANCE)
        if instance is None:
            raise unknown_resource()
        files = [attachment.uuid for attachment in instance.attachments.values()]
        return " ".join([*files, instance.metadata.get("PixelDataOffset", "")])

    def header(self, id: str) -> DicomFile:
        """Return the tags up to the pixel data, and the pixel data without their value.

        Only the header is read from the disk, not the whole file.
        """
        instance = self._storage.get(id, Level.INSTANCE)
        if instance is None:
            raise unknown_resource()
        header = self._storage.read_dicom_header(id)
        file = read_file(header, self.dictionary, skip_pixel_data=True, memory=self._memory)
        if "PixelDataOffset" in instance.metadata:
            file.data_set.setdefault(PIXEL_DATA, Element("OW", ()))
        return file
