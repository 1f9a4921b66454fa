"""The options ``AwsS3Storage``, ``AzureBlobStorage`` and ``GoogleCloudStorage``: the sections of plug-ins."""

from __future__ import annotations

from typing import Any

from orthanc_lab.server.options.option import Kind, Option
from orthanc_lab.storage.objects.options import NAMES, SECTIONS

__all__ = ["BUCKET_OPTIONS"]


def _check(name: str, value: Any) -> None:
    """Refuse a section that cannot be."""
    if value:
        SECTIONS[name](value)


_WHERE = "Keep the files of the storage in {} (the section of a plug-in of Orthanc; it needs the extra cluster)."
_WORDS = {
    "AwsS3Storage": _WHERE.format("a bucket of S3"),
    "AzureBlobStorage": _WHERE.format("a container of Azure"),
    "GoogleCloudStorage": _WHERE.format("a bucket of Google"),
}
BUCKET_OPTIONS = tuple(
    Option(name, Kind.OBJECT, {}, words, check=_check, names=NAMES[name]) for name, words in _WORDS.items()
)
"""The sections, as options of the table."""
