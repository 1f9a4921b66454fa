"""What must be true of searches, on any back end: as the real server answers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import (
    Constraint,
    FindQuery,
    Order,
    Stored,
)
from orthanc_lab.testing.contracts.dicom_files import TAGS
from orthanc_lab.testing.contracts.storage.folder import put

__all__ = ["SearchContract"]

Find = Callable[..., str]


class SearchContract:
    """Searches in the index."""

    @pytest.fixture
    def stored(self, storage: Storage) -> dict[str, Stored]:
        return {
            "A": put(
                storage,
                patient="A",
                name="Müller^Jürgen",
                study="1.1",
                series="1.1.1",
                instance="1.1.1.1",
                study_date="20200110",
                study_time="101500",
                description="Head CT",
                modality="CT",
                accession="ACC1",
                number="10",
            ),
            "B": put(
                storage,
                patient="B",
                name="MULLER^Jurgen",
                study="2.1",
                series="2.1.1",
                instance="2.1.1.1",
                study_date="20210115",
                study_time="235959.5",
                description="head_ct",
                modality="MR",
                accession="",
                number="9",
            ),
            "C": put(
                storage,
                patient="c*x",
                name="O?Neil",
                study="3.1",
                series="3.1.1",
                instance="3.1.1.1",
                study_date="2020",
                description="",
                modality="ct",
                accession="acc%1",
                number="",
            ),
            "D": put(
                storage,
                patient="D",
                name="Straße^ŒÆé",
                study="4.1",
                series="4.1.1",
                instance="4.1.1.1",
                study_date="20200110-20200112",
            ),
        }

    @pytest.fixture
    def find(self, storage: Storage, stored: dict[str, Stored]) -> Find:
        names = {id: name for name, one in stored.items() for id in (one.patient, one.study, one.series, one.instance)}

        def search(
            level: Level = Level.STUDY, *, case_sensitive: bool = False, ordered: bool = False, **query: object
        ) -> str:
            constraints: list[Constraint] = []
            for name in list(query):
                if name in TAGS:
                    tag = TAGS[name][0]
                    value = str(query.pop(name))
                    constraints.append(Constraint(f"{tag >> 16:04x},{tag & 0xFFFF:04x}", value, case_sensitive))
            found = storage.find(FindQuery(level, constraints, **query))  # type: ignore[arg-type]
            if not query.get("order"):
                assert found == sorted(found)
            letters = "".join(names[id] for id in found)
            return letters if ordered else "".join(sorted(letters))

        return search

    @pytest.mark.parametrize(
        ("value", "insensitive", "sensitive"),
        [
            ("müller^jürgen", "A", ""),
            ("MULLER^JURGEN", "B", ""),
            ("muller*", "B", ""),
            ("MÜLLER*", "A", ""),
            ("M?LLER*", "AB", "B"),
            ("Müller^Jürgen", "A", "A"),
            ("straße*", "D", ""),
            ("STRASSE*", "", ""),
            ("*ŒÆÉ", "D", ""),
            ("*é", "D", "D"),
            ("*e", "", ""),
            ("O?Neil", "C", "C"),
            ("o?neil", "C", ""),
            ("*", "ABCD", "ABCD"),
            ("?*", "ABCD", "ABCD"),
            ("", "ABCD", "ABCD"),
            ("M%", "", ""),
            ("MULLER_Jurgen", "", ""),
        ],
    )
    def test_patient_names(self, find: Find, value: str, insensitive: str, sensitive: str) -> None:
        assert find(name=value) == insensitive
        assert find(name=value, case_sensitive=True) == sensitive

    @pytest.mark.parametrize(
        ("value", "insensitive", "sensitive"),
        [
            ("A", "A", "A"),
            ("a", "A", ""),
            ("c*x", "C", "C"),
            ("B\\A", "AB", "AB"),
            ("a\\b", "AB", ""),
            ("A\\", "A", "A"),
            ("\\", "", ""),
            ("A\\c*", "A", "A"),
            (" A", "", ""),
            ("A ", "", ""),
            ("A-C", "", ""),
        ],
    )
    def test_patient_ids(self, find: Find, value: str, insensitive: str, sensitive: str) -> None:
        assert find(patient=value) == insensitive
        assert find(patient=value, case_sensitive=True) == sensitive

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("20200110", "A"),
            ("20200101-20201231", "AD"),
            ("-20200110", "AC"),
            ("20200110-", "ABD"),
            ("20210115-20210115", "B"),
            ("-", "ABCD"),
            ("2020", "C"),
            ("20200110\\2020", "AC"),
            ("20200101-2020", ""),
        ],
    )
    def test_dates(self, find: Find, value: str, expected: str) -> None:
        assert find(study_date=value) == expected

    @pytest.mark.parametrize(
        ("value", "expected"), [("1000-1100", "A"), ("-110000", "A"), ("235959-", "B"), ("101500", "A")]
    )
    def test_times(self, find: Find, value: str, expected: str) -> None:
        assert find(study_time=value) == expected

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("head*", "AB"),
            ("head_ct", "B"),
            ("HEAD?CT", "AB"),
            ("head%", ""),
            ("Head CT", "A"),
            ("*", "ABC"),
            ("?*", "AB"),
        ],
    )
    def test_descriptions(self, find: Find, value: str, expected: str) -> None:
        assert find(description=value) == expected

    @pytest.mark.parametrize("level", list(Level))
    def test_tags_of_upper_levels(self, find: Find, level: Level) -> None:
        assert find(level, name="mü*") == "A"
        assert find(level, accession="acc%1") == (
            "ABCD" if level is Level.PATIENT else "C"
        )  # not in the index: not asked

    def test_several_constraints(self, find: Find) -> None:
        assert find(Level.SERIES, patient="A", study="1.1", modality="ct") == "A"
        assert find(Level.SERIES, patient="A", study="2.1") == ""

    def test_order(self, find: Find) -> None:
        def by(*orders: Order, level: Level = Level.STUDY) -> str:
            return find(level, order=orders, ordered=True)

        assert by(Order("0008,0020")) == "CADB"
        assert by(Order("0008,0020", descending=True)) == "BDAC"
        assert by(Order("0008,0050")) == "BCAD"
        assert by(Order("0008,0030")) == "ABCD"
        assert by(Order("0008,0030", descending=True)) == "BACD"
        assert by(Order("0020,0013"), level=Level.INSTANCE) == "CABD"
        assert by(Order("0020,0013", cast="int"), level=Level.INSTANCE) == "CBAD"
        assert by(Order("0020,0013", cast="float", descending=True), level=Level.INSTANCE) == "ABCD"
        assert by(Order("IndexInSeries", metadata=True, cast="int"), level=Level.INSTANCE) == "CBAD"
        assert by(Order("LastUpdate", metadata=True, descending=True)) == "ABCD"
        assert by(Order("never", metadata=True)) == "ABCD"
        # Only the last criterion puts what has no value at the end, as on the real server.
        assert by(Order("0008,0030"), Order("0010,0010", descending=True)) == "DCAB"

    def test_pages(self, find: Find, storage: Storage) -> None:
        everything = storage.list_ids(Level.STUDY)
        for since, limit in ((0, 2), (1, 2), (3, 5), (9, 1), (1, 0)):
            expected = everything[since : since + limit] if limit else everything[since:]
            assert storage.find(FindQuery(Level.STUDY, since=since, limit=limit)) == expected

    def test_patterns_of_metadata(self, find: Find, storage: Storage, stored: dict[str, Stored]) -> None:
        storage.set_metadata(stored["A"].study, "1024", "hello Wörld")
        storage.set_metadata(stored["B"].study, "1024", "help")
        for pattern, insensitive, sensitive in [
            ("hello Wörld", "A", "A"),
            ("HELLO WÖRLD", "A", ""),
            ("hel*", "AB", "AB"),
            ("HEL*", "AB", ""),
            ("", "ABCD", "ABCD"),
            ("*", "AB", "AB"),
            ("hello Wörld\\help", "AB", "AB"),
            ("nothing", "", ""),
        ]:
            assert find(metadata={"1024": pattern}) == insensitive
            assert find(metadata={"1024": pattern}, metadata_case_sensitive=True) == sensitive
        assert find(metadata={"LastUpdate": "2026*"}) == "ABCD"
        assert find(Level.INSTANCE, metadata={"IndexInSeries": "9", "Origin": "rest*"}) == "B"
        assert find(metadata={"'; DROP TABLE resources --": "x"}) == ""

    def test_all_any_or_none_of_the_labels(self, find: Find, storage: Storage, stored: dict[str, Stored]) -> None:
        for name, label in (("A", "x"), ("A", "y"), ("B", "y")):
            storage.set_label(stored[name].study, label, True)

        def labelled(labels: Sequence[str], constraint: str) -> str:
            return find(labels=labels, labels_constraint=constraint)

        assert [
            labelled(labels, "All") for labels in (["x"], ["x", "y"], ["y"], ["x", "x"], ["x", "z"], [], ["X"])
        ] == [
            "A",
            "A",
            "AB",
            "A",
            "",
            "ABCD",
            "",
        ]
        assert [labelled(labels, "Any") for labels in (["x"], ["x", "y"], ["x", "z"], ["z"])] == ["A", "AB", "A", ""]
        assert [labelled(labels, "None") for labels in (["x"], ["x", "y"], ["z"])] == ["BCD", "CD", "ABCD"]

    def test_parents(self, find: Find, stored: dict[str, Stored]) -> None:
        a = stored["A"]
        assert find(parents={Level.PATIENT: a.patient}) == "A"
        assert find(Level.INSTANCE, parents={Level.PATIENT: a.patient}) == "A"
        assert find(Level.SERIES, parents={Level.SERIES: a.series}) == "A"
        assert find(parents={Level.PATIENT: a.study}) == ""
        assert find(Level.INSTANCE, parents={Level.SERIES: stored["B"].series}, patient="A") == ""

    def test_any_child(self, find: Find) -> None:
        def modality(value: str, case_sensitive: bool = False) -> list[Constraint]:
            return [Constraint("0008,0060", value, case_sensitive)]

        assert find(children=modality("CT")) == "AC"
        assert find(children=modality("ct", case_sensitive=True)) == "C"
        assert find(children=modality("MR\\CT"), patient="B") == "B"
        assert find(children=[*modality("CT"), *modality("MR")]) == ""
        assert find(children=[*modality("CT"), Constraint("0020,000e", "1.*")]) == "A"
        assert find(Level.PATIENT, children=[Constraint("0008,1030", "head*")], labels=["nobody's"]) == ""
        assert find(Level.INSTANCE, children=modality("CT")) == find(Level.INSTANCE)

    def test_resources_in_the_same_order(self, storage: Storage, stored: dict[str, Stored]) -> None:
        query = FindQuery(Level.STUDY, order=[Order("0008,0020")])
        assert [one.id for one in storage.find_resources(query)] == storage.find(query)
