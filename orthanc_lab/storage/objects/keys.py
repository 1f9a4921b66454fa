"""The keys of files in a bucket, as the plug-ins of Orthanc for object storage lay them out."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_lab.storage.files.names import uuid_of

__all__ = ["Keys"]

_HEAD = ".dcm.head"


@dataclass(frozen=True, slots=True)
class Keys:
    """How the key of a file follows from its name.

    Parameters
    ----------
    root
        What all keys begin with (``RootPath``).
    legacy
        Two levels of folders and no extension, as in a folder of Orthanc (``StorageStructure``).
    unknown_heads
        The beginning of a DICOM file may have the extension of an unknown file (``EnableLegacyUnknownFiles``).
    """

    root: str = ""
    legacy: bool = False
    unknown_heads: bool = False

    def of(self, name: str) -> str:
        """Return the key of a file."""
        if self.legacy:
            uuid = uuid_of(name)
            return self._below_root(f"{uuid[:2]}/{uuid[2:4]}/{uuid}")
        return self._below_root(name)

    def all_of(self, name: str) -> list[str]:
        """Return the keys that a file may have, the usual one first."""
        keys = [self.of(name)]
        if self.unknown_heads and not self.legacy and name.endswith(_HEAD):
            keys.append(self.of(f"{uuid_of(name)}.unk"))
        return keys

    def _below_root(self, key: str) -> str:
        return f"{self.root.rstrip('/')}/{key}" if self.root else key
