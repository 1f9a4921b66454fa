"""From a list of resources to the files of an archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from orthanc_lab.jobs.kinds.archives.archive_plan import NamesFrom, Plan, plan_archive, plan_media
from orthanc_lab.jobs.kinds.archives.archive_tree import resolve, tags_of_patient
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage import open_storage
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Origin, Stored
from tests.archives.files import dicom


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    opened = open_storage(tmp_path_factory.mktemp("storage"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def here(storage: Storage) -> SimpleNamespace:
    """Patient N with one series of four (numbers 4, 4, 9, 2) and one of two, patient Q with two names."""

    def store(*args: str, **kwargs: str) -> Stored:
        return storage.store(dicom(*args, **kwargs), Origin())

    first = [store("N", sop=f"1.1.1.{k}", number=n) for k, n in enumerate(["4", "4", "9", "2"])]
    second = [store("N", series="1.1.2", sop=f"1.1.2.{k}", number=str(7 - k), modality="MR") for k in range(2)]
    one = store("Q", "One", "3.1", "3.1.1", "3.1.1.1")
    two = store("Q", "Two", "3.2", "3.2.1", "3.2.1.1")
    return SimpleNamespace(a=first, b=second, one=one, two=two)


def files(plan: Plan, instances: Sequence[Stored]) -> list[tuple[str, int]]:
    """Return the last part of each name, with the number of its instance in the list."""
    place = {stored.instance: number for number, stored in enumerate(instances)}
    return [(member.name.rpartition("/")[2], place[member.instance]) for member in plan.members]


WHOLE = [("CT000000.dcm", 3), ("CT000001.dcm", 0), ("CT000002.dcm", 1), ("CT000003.dcm", 2)]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("0 2", [("CT000004.dcm", 0), ("CT000009.dcm", 2)]),
        ("2 0", [("CT000009.dcm", 2), ("CT000004.dcm", 0)]),
        ("1 0", [("CT000004.dcm", 1), ("CT000004.dcm-2", 0)]),
        ("3 2 1", [("CT000002.dcm", 3), ("CT000009.dcm", 2), ("CT000004.dcm", 1)]),
        ("2 2", [("CT000009.dcm", 2), ("CT000009.dcm-2", 2)]),
        ("series", WHOLE),
        ("2 series", WHOLE),
        ("series 2", WHOLE),
        ("series series", WHOLE),
    ],
)
def test_one_series(storage: Storage, here: SimpleNamespace, chosen: str, expected: list[tuple[str, int]]) -> None:
    ids = [here.a[0].series if word == "series" else here.a[int(word)].instance for word in chosen.split()]
    tree = resolve(storage, ids)
    assert files(plan_archive(tree), here.a) == expected
    media = files(plan_media(tree), here.a)
    assert media == [(f"IM{n}", instance) for n, (_, instance) in enumerate(expected)]


@pytest.mark.parametrize(
    ("roots", "count"),
    [
        (["patient"], 6),
        (["study"], 6),
        (["patient", "study", "series", "instance"], 6),
        (["instance", "series", "study", "patient"], 6),
        (["series"], 4),
        (["series", "other instance"], 5),
        (["instance", "other instance"], 2),
        (["patient", "other patient"], 8),
        (["instance", "other patient"], 3),
        ([], 0),
    ],
)
def test_parents_and_children_are_merged(storage: Storage, here: SimpleNamespace, roots: list[str], count: int) -> None:
    first = here.a[0]
    named = {
        "patient": first.patient,
        "study": first.study,
        "series": first.series,
        "instance": first.instance,
        "other instance": here.b[0].instance,
        "other patient": here.one.patient,
    }
    plan = plan_archive(resolve(storage, [named[root] for root in roots]))
    assert len(plan.members) == count
    assert len({member.instance for member in plan.members}) == count
    assert len({member.name for member in plan.members}) == count
    assert plan.size == sum(len(storage.read_dicom(member.instance)) for member in plan.members)
    assert Plan.decode(plan.encode()) == plan


def test_resources_stand_in_the_order_of_their_identifiers(storage: Storage, here: SimpleNamespace) -> None:
    everything = [here.a[0].patient, here.one.patient]
    tree = resolve(storage, everything)
    assert [node.resource.id for node in tree] == sorted(everything)
    for patient in tree:
        studies = [node.resource.id for node in patient.nodes]
        assert studies == sorted(studies)
        for study in patient.nodes:
            series = [node.resource.id for node in study.nodes]
            assert series == sorted(series)
    assert tree == resolve(storage, everything[::-1])


def test_unknown(storage: Storage, here: SimpleNamespace) -> None:
    for ids, level in (
        (["nope"], None),
        ([""], None),
        ([here.a[0].patient, "nope"], None),
        ([here.a[0].series], Level.STUDY),
    ):
        with pytest.raises(OrthancError) as raised:
            resolve(storage, ids, level)
        assert raised.value.code == ErrorCode.UNKNOWN_RESOURCE


def test_whose_name_a_directory_bears(storage: Storage, here: SimpleNamespace) -> None:
    tree = resolve(storage, [here.two.study])
    assert plan_archive(tree).members[0].name == "Q One/Unknown Study/CT/CT000001.dcm"
    names = NamesFrom(patient=tags_of_patient(storage, here.two.instance, "Latin1"))
    assert plan_archive(tree, names).members[0].name == "Q Two/Unknown Study/CT/CT000001.dcm"
    assert plan_archive(tree, NamesFrom(series_only=True)).members[0].name == "CT/CT000001.dcm"


def test_a_file_that_cannot_be_read_leaves_the_name_to_the_patient(storage: Storage) -> None:
    assert tags_of_patient(storage, "nope", "Latin1") is None


def test_equal_directories_get_suffixes(tmp_path: Path) -> None:
    storage = open_storage(tmp_path)
    series = [("CT", "a"), ("CT", "a"), ("CT", "a-"), ("ct", "a"), ("CT", "A")]
    for n, (modality, description) in enumerate(series):
        more = {0x0008103E: ("LO", description)}
        stored = storage.store(dicom(series=f"1.{n}", sop=f"2.{n}", modality=modality, extra=more), Origin())
    names = {member.name.split("/")[2] for member in plan_archive(resolve(storage, [stored.patient])).members}
    storage.close()
    assert names == {"CT a", "CT a-2", "CT a-3", "ct a", "CT A"}
