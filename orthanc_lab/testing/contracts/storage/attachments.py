"""What must be true of attachments, on any back end."""

from __future__ import annotations

import hashlib

import pytest

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.storage.ports import Storage
from orthanc_lab.testing.contracts.dicom_files import LARGE
from orthanc_lab.testing.contracts.storage.folder import changes_of, code_of, put

__all__ = ["AttachmentsContract"]


class AttachmentsContract:
    """Attachments other than the DICOM file."""

    @pytest.mark.parametrize("content", [b"", b"hello", LARGE], ids=["empty", "small", "large"])
    def test_attachments(self, storage: Storage, content: bytes) -> None:
        id = put(storage).patient
        written = storage.put_attachment(id, 1024, content)
        patient = storage.get(id)
        assert patient is not None
        assert patient.attachments == {1024: written}
        assert storage.read_attachment(written, of=id) == content
        replaced = storage.put_attachment(id, 1024, content + b"2")
        assert storage.read_attachment(replaced, of=id) == content + b"2"
        assert code_of(lambda: storage.read_attachment(written, of=id)) == 13
        assert storage.delete_attachment(id, 1024)
        assert not storage.delete_attachment(id, 1024)
        logged = [type for type, _ in changes_of(storage) if type is ChangeType.UPDATED_ATTACHMENT]
        assert len(logged) == 3
        assert code_of(storage.put_attachment, "nope", 1024, content) == 17

    @pytest.mark.parametrize("content", [b"", b"hello" * 100, LARGE], ids=["empty", "small", "large"])
    def test_compression_of_an_attachment(self, storage: Storage, content: bytes) -> None:
        id = put(storage).study
        plain = storage.put_attachment(id, 1024, content)
        storage.compress_attachment(id, 1024, True)
        study = storage.get(id)
        assert study is not None
        packed = study.attachments[1024]
        assert packed.compressed
        assert (packed.uncompressed_size, packed.uncompressed_md5) == (plain.uncompressed_size, plain.uncompressed_md5)
        assert storage.read_attachment(packed, of=id) == content
        raw = storage.read_attachment(packed, of=id, raw=True)
        assert packed.compressed_size == len(raw)
        assert packed.compressed_md5 == hashlib.md5(raw).hexdigest()
        assert raw[:8] == (len(content).to_bytes(8, "little") if content else b"")
        storage.compress_attachment(id, 1024, False)
        study = storage.get(id)
        assert study is not None
        assert storage.read_attachment(study.attachments[1024], of=id, raw=True) == content
        assert code_of(storage.compress_attachment, id, 1025, True) == 17
