"""The same program on a server of its own, and on one that runs already."""

import pytest

import orthanc_lab
from orthanc_lab import samples


def test_without_the_variable_a_server_is_started(monkeypatch):
    monkeypatch.delenv("ORTHANC_URL", raising=False)
    with orthanc_lab.open_server(seed=1, Name="here") as server:
        assert isinstance(server, orthanc_lab.EmbeddedServer)
        assert orthanc_lab.Client.from_server(server).system["Name"] == "here"


def test_the_variable_names_a_server_that_goes_on_after_the_stop(monkeypatch):
    options = {"AuthenticationEnabled": True, "RegisteredUsers": {"alice": "se:cret"}, "Name": "there"}
    with orthanc_lab.serve(options) as other:
        monkeypatch.setenv("ORTHANC_URL", other.url.replace("//", "//alice:se%3Acret@") + "/")
        with orthanc_lab.open_server(seed=1, Name="here") as server:
            assert isinstance(server, orthanc_lab.RemoteServer)
            assert server.url == other.url
            client = orthanc_lab.Client.from_server(server)
            assert client.system["Name"] == "there"
            assert client.upload(samples.dicom_files("ct/sharp")[0]).stored == 1
        assert other.session.get(f"{other.url}/statistics").json()["CountInstances"] == 1


def test_a_wrong_address_is_said_at_once(monkeypatch):
    with orthanc_lab.serve(AuthenticationEnabled=True, RegisteredUsers={"alice": "secret"}) as other:
        monkeypatch.setenv("ORTHANC_URL", other.url)
        with pytest.raises(orthanc_lab.UnauthorizedError):
            orthanc_lab.open_server()
    monkeypatch.setenv("ORTHANC_URL", "localhost:8042")
    with pytest.raises(ValueError, match="should look like http://localhost:8042"):
        orthanc_lab.open_server()


def test_only_who_shares_uses_the_server_of_the_lab(monkeypatch):
    monkeypatch.delenv("ORTHANC_URL", raising=False)
    with orthanc_lab.serve(Name="lab") as other:
        monkeypatch.setenv("ORTHANC_LAB_URL", other.url)
        with orthanc_lab.open_server(Name="own") as alone, orthanc_lab.open_server(shared=True, Name="own") as shared:
            assert orthanc_lab.Client.from_server(alone).system["Name"] == "own"
            assert orthanc_lab.Client.from_server(shared).system["Name"] == "lab"
