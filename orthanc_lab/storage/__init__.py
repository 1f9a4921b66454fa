"""The index (SQL) and the attachments (files)."""

from orthanc_lab.storage.opening import open_storage
from orthanc_lab.storage.options import StorageOptions

__all__ = ["StorageOptions", "open_storage"]
