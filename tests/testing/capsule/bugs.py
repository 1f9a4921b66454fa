"""Thirty misbehaviours of servers and clients: how each looks in a recording, and how somebody sees it in a capsule."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import NamedTuple

import pydicom

from tests.testing.capsule.story import Exchange, Story

PRIVATE = 0x00091001
BEFORE = "19991231T235959"


class Bug(NamedTuple):
    name: str
    plant: Callable[[Story], object]
    shows: Callable[[Story], bool]


def file_of(story: Story) -> Exchange:
    return story.of("GET", "/file")


def data_set(content: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(content), force=True)


def job_states(story: Story) -> list[str]:
    return [one.json["State"] for one in story.all("GET", "/jobs/", 200) if "archive" not in one.target]


def jobs(story: Story) -> list[dict]:
    return story.of("GET", "/jobs?expand").json


def unknown(story: Story) -> Exchange:
    return story.of("GET", "/study/", 404)


def search(story: Story) -> Exchange:
    return next(one for one in story.all("POST", "/tools/find") if one.sent.get("Limit") == 3)


def changes(story: Story) -> list[dict]:
    return story.of("GET", "/changes").json["Changes"]


def members(story: Story) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(story.of("GET", "/archive", 200).answer)) as archive:
        return [archive.read(name) for name in archive.namelist()]


def is_archive(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.testzip() is None
    except zipfile.BadZipFile:
        return False


def rezip(story: Story, change: Callable[[list[tuple[str, bytes]]], object]) -> None:
    exchange = story.of("GET", "/archive", 200)
    with zipfile.ZipFile(io.BytesIO(exchange.answer)) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    change(entries)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries:
            archive.writestr(name, content)
    exchange.answer = buffer.getvalue()


def cut_value(story: Story) -> None:
    """Give a value of the file that is sent an odd length, as some programs do."""
    upload = story.of("POST", "/instances")
    at = upload.body.index(b"\x08\x00\x60\x00CS\x02\x00CT")
    upload.body = upload.body[: at + 6] + b"\x01\x00C" + upload.body[at + 10 :]


def has_odd_length(content: bytes) -> bool:
    at = content.index(b"\x08\x00\x60\x00CS")
    return content[at + 6] % 2 == 1


def set_private(data_set: pydicom.Dataset) -> None:
    data_set.add_new(PRIVATE, "LO", "orphan")


def implicit(data_set: pydicom.Dataset) -> None:
    data_set.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian


def job_stays(story: Story) -> None:
    for one in story.all("GET", "/jobs/", 200):
        if "archive" not in one.target:
            one.change(lambda value: value.update(State="Retry"))


def swap(items: list, first: int = 0, second: int = 1) -> None:
    items[first], items[second] = items[second], items[first]


def times(story: Story) -> list[str]:
    job = story.of("GET", "/jobs?expand").json[0]
    return [job["CreationTime"], job["CompletionTime"]]


def tag_file(story: Story, change: Callable[[pydicom.Dataset], object]) -> None:
    file_of(story).change_file(change)


def ids(story: Story) -> list[str]:
    return story.of("GET", "/instances").json


def slices_agree(found: dict) -> bool:
    return [one[0] for one in found["SlicesShort"]] == [path.split("/")[2] for path in found["Dicom"]]


BUGS = [
    Bug(
        "an upload is answered by a wrong status",
        lambda story: setattr(story.of("POST", "/instances"), "status", 500),
        lambda story: any(one.status == 500 for one in story.all("POST", "/instances")),
    ),
    Bug(
        "a duplicate is stored again",
        lambda story: list(story.all("POST", "/instances"))[-1].change(lambda value: value.update(Status="Success")),
        lambda story: [one.json["Status"] for one in story.all("POST", "/instances")][-1] != "AlreadyStored",
    ),
    Bug(
        "a tag is missing in the list of tags",
        lambda story: story.of("GET", "/tags").change(lambda value: value.pop("0020,000d") and None),
        lambda story: "0020,000d" not in story.of("GET", "/tags").json,
    ),
    Bug(
        "changes come in a wrong order",
        lambda story: story.of("GET", "/changes").change(lambda value: swap(value["Changes"])),
        lambda story: [one["Seq"] for one in changes(story)] != sorted(one["Seq"] for one in changes(story)),
    ),
    Bug(
        "a change is missing",
        lambda story: story.of("GET", "/changes").change(lambda value: value["Changes"].pop(3) and None),
        lambda story: len(changes(story)) != story.of("GET", "/changes").json["Last"],
    ),
    Bug("a job stays in Retry", job_stays, lambda story: set(job_states(story)) == {"Retry"}),
    Bug(
        "a job fails without an error code",
        lambda story: story.of("GET", "/jobs?expand").change(lambda value: value[0].update(State="Failure")),
        lambda story: any(
            job["State"] == "Failure" and not job["ErrorCode"] for job in story.of("GET", "/jobs?expand").json
        ),
    ),
    Bug(
        "the progress of a job that succeeded is not 100",
        lambda story: story.of("GET", "/jobs?expand").change(lambda value: value[0].update(Progress=87)),
        lambda story: any(job["Progress"] != 100 for job in story.of("GET", "/jobs?expand").json),
    ),
    Bug(
        "a job ends before it was made",
        lambda story: story.of("GET", "/jobs?expand").change(
            lambda value: value[0].update(CompletionTime="19991231T235959")
        ),
        lambda story: times(story)[0] > times(story)[1],
    ),
    Bug(
        "a wrong count",
        lambda story: story.of("GET", "/statistics").change(lambda value: value.update(CountInstances=7)),
        lambda story: story.of("GET", "/statistics").json["CountInstances"] != len(ids(story)),
    ),
    Bug(
        "a file comes in a wrong transfer syntax",
        lambda story: tag_file(story, implicit),
        lambda story: (
            data_set(file_of(story).answer).file_meta.TransferSyntaxUID
            != data_set(story.of("POST", "/instances").body).file_meta.TransferSyntaxUID
        ),
    ),
    Bug("a value of odd length", cut_value, lambda story: has_odd_length(story.of("POST", "/instances").body)),
    Bug(
        "a private tag without its creator",
        lambda story: tag_file(story, set_private),
        lambda story: PRIVATE in data_set(file_of(story).answer) and 0x00090010 not in data_set(file_of(story).answer),
    ),
    Bug(
        "a file lacks a tag that was sent",
        lambda story: tag_file(story, lambda found: found.pop("StudyID")),
        lambda story: "StudyID" not in data_set(file_of(story).answer),
    ),
    Bug(
        "a tag has another VR",
        lambda story: tag_file(story, lambda found: setattr(found["StudyID"], "VR", "LO")),
        lambda story: data_set(file_of(story).answer)["StudyID"].VR != "SH",
    ),
    Bug(
        "the pixel data are shorter than the image",
        lambda story: tag_file(story, lambda found: setattr(found, "PixelData", found.PixelData[:-100])),
        lambda story: len((found := data_set(file_of(story).answer)).PixelData) != found.Rows * found.Columns * 2,
    ),
    Bug(
        "the meta header names another instance",
        lambda story: tag_file(story, lambda found: setattr(found.file_meta, "MediaStorageSOPInstanceUID", "1.2.3.4")),
        lambda story: (
            (found := data_set(file_of(story).answer)).file_meta.MediaStorageSOPInstanceUID != found.SOPInstanceUID
        ),
    ),
    Bug(
        "an archive lacks a file",
        lambda story: rezip(story, lambda entries: entries.pop()),
        lambda story: len(members(story)) != story.of("GET", "/jobs?expand").json[0]["Content"]["InstancesCount"],
    ),
    Bug(
        "an archive has a file twice",
        lambda story: rezip(story, lambda entries: entries.__setitem__(1, (entries[1][0], entries[0][1]))),
        lambda story: len(set(members(story))) != len(members(story)),
    ),
    Bug(
        "an archive is cut off",
        lambda story: setattr(archive := story.of("GET", "/archive", 200), "answer", archive.answer[:-50]),
        lambda story: not is_archive(story.of("GET", "/archive", 200).answer),
    ),
    Bug(
        "an answer breaks off",
        lambda story: setattr(story.of("GET", "/studies?expand"), "complete", False),
        lambda story: not all(one.complete for one in story),
    ),
    Bug(
        "a search finds too much",
        lambda story: search(story).change(lambda value: value * 2),
        lambda story: len(search(story).json) > 3,
    ),
    Bug(
        "a search finds another modality",
        lambda story: story.of("GET", "/series?expand").change(
            lambda value: [one["MainDicomTags"].update(Modality="US") for one in value] and None
        ),
        lambda story: any(one["MainDicomTags"]["Modality"] == "US" for one in story.of("GET", "/series?expand").json),
    ),
    Bug(
        "an instance has a parent that does not exist",
        lambda story: story.of("GET", "/instances?expand").change(
            lambda value: value[0].update(ParentSeries=value[0]["ID"])
        ),
        lambda story: (
            not {one["ParentSeries"] for one in story.of("GET", "/instances?expand").json}
            <= {one["ID"] for one in story.of("GET", "/series?expand").json}
        ),
    ),
    Bug(
        "an identifier is listed twice",
        lambda story: story.of("GET", "/instances").change(lambda value: value.append(value[0])),
        lambda story: len(set(ids(story))) != len(ids(story)),
    ),
    Bug(
        "two documents disagree on the name of a patient",
        lambda story: story.of("GET", "/patients?expand").change(
            lambda value: [one["MainDicomTags"].update(PatientName="Somebody^Else") for one in value] and None
        ),
        lambda story: (
            {one["MainDicomTags"]["PatientName"] for one in story.of("GET", "/patients?expand").json}
            != {one["PatientMainDicomTags"]["PatientName"] for one in story.of("GET", "/studies?expand").json}
        ),
    ),
    Bug(
        "slices are in a wrong order",
        lambda story: story.of("GET", "/ordered-slices").change(lambda value: value["SlicesShort"].reverse()),
        lambda story: not slices_agree(story.of("GET", "/ordered-slices").json),
    ),
    Bug(
        "an unknown tag is answered by a wrong code",
        lambda story: story.of("POST", "/create-dicom").change(lambda value: value.update(OrthancStatus=15)),
        lambda story: story.of("POST", "/create-dicom").json["OrthancStatus"] != 27,
    ),
    Bug(
        "a wrong message of an error",
        lambda story: unknown(story).change(lambda value: value.update(Message="Bad request")),
        lambda story: unknown(story).json["Message"] != "Unknown resource",
    ),
    Bug(
        "JSON is sent as a text",
        lambda story: story.of("GET", "/system").answer_headers.update({"content-type": "text/plain"}),
        lambda story: "json" not in story.of("GET", "/system").answer_headers["content-type"],
    ),
    Bug(
        "a label was set and is not listed",
        lambda story: story.of("GET", "/labels").change(lambda value: value.clear()),
        lambda story: story.of("PUT", "/labels/").target.split("/")[-1] not in story.of("GET", "/labels").json,
    ),
    Bug(
        "a client asks the same again and again",
        lambda story: story.extend([story.of("GET", "/system")] * 20),
        lambda story: len(list(story.all("GET", "/system"))) > 10,
    ),
]
