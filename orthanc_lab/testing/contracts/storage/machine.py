"""The storage against a model of it: any order of uploads, deletions, metadata, labels and restarts."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.identifiers import orthanc_id
from orthanc_lab.protocol.levels import LEVELS
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage.folder import ORIGIN, OpenStorage, StorageFolder

__all__ = ["StorageMachine", "storage_machine"]

_NAMES = st.sampled_from("12")
_PATHS = st.tuples(_NAMES, _NAMES, _NAMES, _NAMES)  # patient, study, series, instance: few, so that they meet
_LABELS = st.sampled_from(["a", "b"])
_UIDS = ("patient", "study", "series", "instance")


class StorageMachine(RuleBasedStateMachine):
    """Resources are named by their path of one to four names."""

    opens: ClassVar[OpenStorage]  # set by `storage_machine`

    def __init__(self) -> None:
        super().__init__()
        self.folder = StorageFolder(type(self).opens, Path(tempfile.mkdtemp(prefix="storage-model-")) / "storage")
        self.files: dict[tuple[str, ...], bytes] = {}
        self.metadata: dict[tuple[str, ...], dict[str, str]] = {}
        self.labels: dict[tuple[str, ...], set[str]] = {}
        self.last_change = 0

    @initialize()
    def start(self) -> None:
        self.storage = self.folder.open()

    def teardown(self) -> None:
        self.folder.close()
        shutil.rmtree(self.folder.folder.parent)

    def known(self) -> list[tuple[str, ...]]:
        return sorted({path[:depth] for path in self.files for depth in range(1, 5)})

    @staticmethod
    def id_of(path: tuple[str, ...]) -> str:
        return orthanc_id(*(".".join(path[: depth + 1]) for depth in range(len(path))))

    def file(self, path: tuple[str, ...], name: str, large: bool) -> bytes:
        uids = {_UIDS[depth]: ".".join(path[: depth + 1]) for depth in range(4)}
        return dicom(name=name, pixels=LARGE if large else b"\1\2", **uids)

    def forget(self, path: tuple[str, ...]) -> None:
        self.files = {known: file for known, file in self.files.items() if known[: len(path)] != path}
        alive = set(self.known())
        self.metadata = {known: value for known, value in self.metadata.items() if known in alive}
        self.labels = {known: value for known, value in self.labels.items() if known in alive}

    @rule(path=_PATHS, name=_NAMES, large=st.booleans(), overwrite=st.booleans())
    def store(self, path: tuple[str, ...], name: str, large: bool, overwrite: bool) -> None:
        file = self.file(path, name, large)
        stored = self.storage.store(file, ORIGIN, overwrite=overwrite)
        assert stored.instance == self.id_of(path)
        expected = "Success" if overwrite or path not in self.files else "AlreadyStored"
        assert stored.status.value == expected
        if expected == "Success":
            if path in self.files:
                self.forget(path)
            self.files[path] = file

    @rule(paths=st.lists(_PATHS, max_size=4), broken=st.booleans())
    def store_all(self, paths: list[tuple[str, ...]], broken: bool) -> None:
        files = [self.file(path, "all", True) for path in paths]
        if broken:
            with pytest.raises(OrthancError):
                self.storage.store_all([*files, b"broken"], ORIGIN)
            return
        self.storage.store_all(files, ORIGIN)
        for path, file in zip(paths, files, strict=True):
            self.files.setdefault(path, file)

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def delete(self, data: Any) -> None:
        path = data.draw(st.sampled_from(self.known()))
        deleted, remaining = self.storage.delete(self.id_of(path), LEVELS[len(path) - 1])
        self.forget(path)
        alive = set(self.known())
        above = next((path[:depth] for depth in range(len(path) - 1, 0, -1) if path[:depth] in alive), None)
        assert deleted
        assert remaining == (None if above is None else (LEVELS[len(above) - 1], self.id_of(above)))

    @precondition(lambda self: self.files)
    @rule(data=st.data(), name=st.sampled_from(["1024", "1025"]), value=st.none() | st.text(max_size=5))
    def change_metadata(self, data: Any, name: str, value: str | None) -> None:
        path = data.draw(st.sampled_from(self.known()))
        own = self.metadata.setdefault(path, {})
        if value is None:
            assert self.storage.delete_metadata(self.id_of(path), name) == (name in own)
            own.pop(name, None)
        else:
            self.storage.set_metadata(self.id_of(path), name, value)
            own[name] = value

    @precondition(lambda self: self.files)
    @rule(data=st.data(), label=_LABELS, present=st.booleans())
    def set_label(self, data: Any, label: str, present: bool) -> None:
        path = data.draw(st.sampled_from(self.known()))
        self.storage.set_label(self.id_of(path), label, present)
        own = self.labels.setdefault(path, set())
        (own.add if present else own.discard)(label)

    @rule(seconds=st.sampled_from([1.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.folder.clock.advance(seconds)

    @rule()
    def restart(self) -> None:
        self.storage = self.folder.reopen()

    @invariant()
    def all_is_as_expected(self) -> None:
        if not hasattr(self, "storage"):
            return
        known = self.known()
        for level in LEVELS:
            paths = {self.id_of(path): path for path in known if len(path) == level.depth + 1}
            resources = self.storage.list_resources(level)
            assert [one.id for one in resources] == sorted(paths) == self.storage.list_ids(level)
            for one in resources:
                path = paths[one.id]
                children = [self.id_of(below) for below in known if len(below) == len(path) + 1 and below[:-1] == path]
                assert list(one.children) == sorted(children)
                assert one.parent == (self.id_of(path[:-1]) if len(path) > 1 else None)
                assert list(one.labels) == sorted(self.labels.get(path, ()))
                own = {name: value for name, value in one.metadata.items() if name.isdecimal()}
                assert own == self.metadata.get(path, {})
        for path, file in self.files.items():
            assert self.storage.read_dicom(self.id_of(path)) == file
        totals = self.storage.statistics()
        counts = [sum(len(path) == depth for path in known) for depth in range(1, 5)]
        assert [totals.patients, totals.studies, totals.series, totals.instances] == counts
        assert totals.disk_size == sum(map(len, self.files.values()))
        assert self.storage.last_change_number() >= self.last_change
        self.last_change = self.storage.last_change_number()
        alive = {self.id_of(path) for path in known}
        assert {change.id for change in self.storage.changes(limit=10_000)[0]} <= alive


def storage_machine(open_storage: OpenStorage) -> type[StorageMachine]:
    """Return the machine for storages that are opened like this.

    Examples
    --------
    >>> from orthanc_lab.storage import open_storage
    >>> machine = storage_machine(lambda folder, options, clock: open_storage(folder, options=options, clock=clock))
    >>> TestModel = machine.TestCase  # in a test module; hypothesis' settings are those of `TestModel.settings`
    """
    return type("Machine", (StorageMachine,), {"opens": staticmethod(open_storage)})
