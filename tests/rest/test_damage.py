"""Files that changed on disk: said so, and nothing else suffers."""

from __future__ import annotations

from pathlib import Path

from tests.rest.checks import error_of
from tests.rest.conftest import Rest
from tests.rest.files import dicom_file


def stored_file(folder: Path, uuid: str) -> Path:
    return next(path for path in folder.rglob(uuid))


def test_a_damaged_attachment_is_found_out(rest: Rest, tmp_path: Path) -> None:
    big = dicom_file("P", "1", "2", "3", PixelData=bytes(1 << 20), Rows=1024, Columns=1024, BitsAllocated=8)
    stored = rest.upload(big)
    path = f"/instances/{stored['ID']}"
    file = stored_file(tmp_path, rest.json(path)["FileUuid"])
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert error_of(rest("POST", f"{path}/attachments/dicom/verify-md5")) == (500, 20, "")


def test_a_search_passes_over_a_vanished_file(rest: Rest, tmp_path: Path) -> None:
    stored = {}
    for instance in ("3", "4"):
        big = dicom_file("P", "1", "2", instance, PixelData=bytes(1 << 20), Rows=1024, Columns=1024, BitsAllocated=8)
        stored[instance] = rest.upload(big)["ID"]
    stored_file(tmp_path, rest.json(f"/instances/{stored['3']}")["FileUuid"]).unlink()
    rest("POST", "/tools/invalidate-tags")
    found = rest.json("/tools/find", {"Level": "Instance", "Query": {"Rows": "1024"}})
    assert stored["4"] in found
