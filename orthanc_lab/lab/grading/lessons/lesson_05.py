"""05 · Private tags."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab.client.client import Client
from orthanc_lab.client.errors import ResponseError
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, WrongAnswerError, require
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.embedding.serve import in_process

SERVERS = ("server",)
_CREATOR = "My Company"


def _entry(evidence: Evidence) -> None:
    entry = evidence.values["entry"]
    require(isinstance(entry, list) and len(entry) == 5, "an entry is a list of five parts")
    dictionary = {"0405,0010": ["LO", "PrivateCreatorForMyCompany", 1, 1, _CREATOR], "0405,1005": entry}
    try:
        with in_process(Dictionary=dictionary, executor="inline") as server:
            client = Client.from_server(server)
            tags = {"PrivateCreatorForMyCompany": _CREATOR, "MyRepeats": 3}
            made = client.create_dicom(None, tags, private_creator=_CREATOR)
            written = client.instances[made.id].dataset().get((0x0405, 0x1005))
    except (OrthancError, ResponseError) as error:
        raise WrongAnswerError(f"a server does not accept this entry: {error}") from None
    require(written is not None and written.VR == "US", "the tag is not written as US")
    require(entry[2:4] == [1, 1], "it may have another number of values than one")


def _instances(servers: Mapping[str, Client]) -> frozenset[str]:
    return Evidence.instances(servers["server"])


def _answer(evidence: Evidence) -> None:
    instance = evidence.instance(evidence.values["id"])
    tag = instance.dataset().get((0x0405, 0x1001))
    require(tag is not None, "the file has no MyPrivateXMLTag")
    require(tag.value == "<answer>42</answer>", f"the text is {tag.value!r}")
    vr = instance.file().partition(b"\x05\x04\x01\x10")[2][:2]
    require(vr == b"ST", "it is not written as text: the argument private_creator is missing")


def _greatest(evidence: Evidence) -> None:
    file = evidence.servers["server"].instances[str(evidence.before["id"])].dataset()
    doses = file.private_block(0x0405, _CREATOR)[0x02].value
    highest, given = float(max(doses)), evidence.values["it"]
    require(isinstance(given, (int, float)), "it is not a number")
    require(abs(given - highest) < 0.001, f"the file on the server has {highest}, not {given}")


CRITERIA = {
    1: Criterion({"entry": "entry"}, _entry),
    2: Criterion({"id": "answer.id"}, _answer, _instances),
    3: Criterion({"it": "greatest"}, _greatest, before_values={"id": "result.id"}),
}
