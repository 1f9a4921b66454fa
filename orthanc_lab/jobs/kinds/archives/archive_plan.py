"""The plan of an archive: which instances it gets, in what order, under which names.

It is made once, when the job is submitted, and written down with it as one text, which never
changes: what is written after each step stays small, and a restart finds the same archive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orthanc_lab.jobs.kinds.archives.archive_names import NameRegister, directory_name, file_name
from orthanc_lab.jobs.kinds.archives.archive_tree import Leaf, Node
from orthanc_lab.protocol import json_text
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["NamesFrom", "Plan", "PlannedMember", "plan_archive", "plan_media"]

_ZIP64_SIZE = (2048 - 64) * 1024 * 1024
_ZIP64_COUNT = 65525


@dataclass(frozen=True, slots=True)
class PlannedMember:
    """One file of the archive."""

    instance: str  # Orthanc identifier
    name: str  # inside the archive
    size: int  # bytes, uncompressed, as it is stored


@dataclass(frozen=True, slots=True)
class Plan:
    """All files of an archive, in order."""

    members: Sequence[PlannedMember]
    size: int  # bytes, uncompressed: the field UncompressedSize

    @property
    def zip64(self) -> bool:
        """Whether Orthanc would choose ZIP64 for the whole archive."""
        return self.size >= _ZIP64_SIZE or len(self.members) >= _ZIP64_COUNT

    def encode(self) -> str:
        """Return the plan as text."""
        return json_text.dumps([[member.instance, member.name, member.size] for member in self.members])

    @classmethod
    def decode(cls, text: str) -> Plan:
        """Read a plan from text.

        Raises
        ------
        OrthancError
            20 if it is damaged.
        """
        try:
            return cls.of(PlannedMember(*row) for row in json_text.loads(text))
        except (ValueError, TypeError) as error:
            raise OrthancError(ErrorCode.CORRUPTED_FILE, "The plan of the archive cannot be read") from error

    @classmethod
    def of(cls, members: Iterable[PlannedMember]) -> Plan:
        """Return the plan of these members."""
        listed = tuple(members)
        return cls(listed, sum(member.size for member in listed))


@dataclass(frozen=True, slots=True)
class NamesFrom:
    """Two quirks of the names, which depend on the route."""

    patient: Mapping[str, str] | None = None  # tags for the directory of the patient, if not its own
    series_only: bool = False  # no directories of patient and study


def plan_archive(patients: Sequence[Node], names: NamesFrom = NamesFrom()) -> Plan:
    """Return the plan of an archive: ``PATIENT_DIR/STUDY_DIR/SERIES_DIR/FILE``."""
    return Plan.of(
        PlannedMember(leaf.id, directory + name, leaf.size)
        for directory, series in _directories(patients, "", 0, names)
        for leaf, name in _files(series)
    )


def plan_media(patients: Sequence[Node]) -> Plan:
    """Return the plan of a medium: ``IMAGES/IM0``, ``IMAGES/IM1`` … (its DICOMDIR is not in the plan)."""
    leaves = [
        leaf for patient in patients for study in patient.nodes for series in study.nodes for leaf in series.leaves
    ]
    return Plan.of(PlannedMember(leaf.id, f"IMAGES/IM{count}", leaf.size) for count, leaf in enumerate(leaves))


def _directories(nodes: Sequence[Node], above: str, depth: int, names: NamesFrom) -> Iterator[tuple[str, Node]]:
    """Yield each series with its directory, a slash at the end."""
    register = NameRegister()
    for node in nodes:
        directory = ""
        if depth == 2 or not names.series_only:
            directory = above + register.take(directory_name(depth, _tags(node, depth, names))) + "/"
        if depth == 2:
            yield directory, node
        else:
            yield from _directories(node.nodes, directory, depth + 1, names)


def _tags(node: Node, depth: int, names: NamesFrom) -> Mapping[str, str]:
    return names.patient if depth == 0 and names.patient is not None else node.resource.tags


def _files(series: Node) -> Iterator[tuple[Leaf, str]]:
    register = NameRegister()
    modality = series.resource.tags.get("0008,0060", "")
    for leaf in series.leaves:
        yield leaf, register.take(file_name(modality, leaf.number))
