"""Echo and sending to DICOM nodes by pyorthanc and orthanc-api-client, unmodified."""

from __future__ import annotations

import pyorthanc
import pytest
import requests
from orthanc_api_client import OrthancApiClient
from orthanc_api_client.exceptions import OrthancApiException
from orthanc_api_client.job import JobStatus, JobType

from orthanc_lab import samples
from orthanc_lab.testing.dicom_node import DicomNode


def test_pyorthanc(url: str, dicom_node: DicomNode) -> None:
    requests.put(f"{url}/modalities/node", json=dicom_node.modality(), timeout=60)
    requests.put(f"{url}/modalities/dead", json=["DEAD", "127.0.0.1", 9], timeout=60)
    with pyorthanc.Orthanc(url, timeout=30) as client:
        instance = client.post_instances(samples.dicom_files("ct/localizer")[0].read_bytes())["ID"]
        modality = pyorthanc.Modality(client, "node")
        assert modality.echo()
        assert not pyorthanc.Modality(client, "dead").echo()
        assert modality.store(instance)["InstancesCount"] == 1
        assert client.get_modalities() == ["dead", "node"]
        assert client.get_modalities_id_configuration("node")["AET"] == "NODE"
    assert len(dicom_node.instances) == 1


def test_orthanc_api_client(url: str, dicom_node: DicomNode) -> None:
    requests.put(f"{url}/modalities/node", json=dicom_node.modality(), timeout=60)
    client = OrthancApiClient(url)
    try:
        instances = [client.upload_file(str(path))[0] for path in samples.dicom_files("mr")[:2]]
        client.modalities.send("node", instances, timeout=10)
        client.modalities.store("node", instances[0])
        job = client.modalities.send_async("node", instances, local_aet="ME")
        assert job.wait_completed(polling_interval=0.01)
        assert job.info.status == JobStatus.SUCCESS
        assert job.info.type == JobType.DICOM_MODALITY_STORE
        assert len(dicom_node.instances) == 5
        assert client.modalities.find_worklist("node", {"PatientID": "nobody"}) == []
        dicom_node.refuse("C-STORE", 0xA700)
        with pytest.raises(OrthancApiException):
            client.modalities.send("node", instances)
    finally:
        client._http_session.close()  # it has no method to let go of its connections
