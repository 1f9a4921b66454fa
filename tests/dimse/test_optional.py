"""Without pynetdicom, which is an extra, a call that needs it says what to install."""

from __future__ import annotations

import sys

import pytest

import orthanc_lab


@pytest.mark.parametrize(("path", "body"), [("echo", {}), ("query", {"Level": "Study", "Query": {}})])
def test_it_says_what_to_install(path: str, body: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("pynetdicom", "orthanc_lab.dimse."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    with orthanc_lab.serve(DicomModalities={"node": ["NODE", "127.0.0.1", 104]}, DicomServerEnabled=False) as server:
        answer = server.session.post(f"{server.url}/modalities/node/{path}", json=body)
        assert server.errors == []
    assert answer.status_code == 500
    assert "pip install 'orthanc-lab[network]'" in answer.json()["Details"]
