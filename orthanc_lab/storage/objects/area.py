"""The file area in a bucket."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore

from orthanc_lab.protocol.ports import SystemClock
from orthanc_lab.storage.files.area import AreaError
from orthanc_lab.storage.objects.errors import area_error, is_past_the_end
from orthanc_lab.storage.objects.keys import Keys
from orthanc_lab.storage.objects.retrying import Retries

__all__ = ["ObjectArea", "Parts", "Writing"]

T = TypeVar("T")
_LARGE = 16 << 20  # bytes of a request


@dataclass(frozen=True, slots=True)
class Parts:
    """How a large file is cut, and how many of its parts are sent at the same time."""

    size: int = 5 << 20
    at_once: int = 10


@dataclass(frozen=True, slots=True)
class Writing:
    """How files are written."""

    attributes: dict[str, str] = field(default_factory=dict)  # their class
    tags: dict[str, str] = field(default_factory=dict)
    parts: Parts | None = None  # None: in one piece


class ObjectArea:
    """Files in a bucket.

    What fails for a passing reason is tried again, up to an end. A file is there when `write` returns, as safe as
    the bucket keeps it; in a folder of this machine (`obstore.store.LocalStore`) that is not safe, since nothing
    waits for the disk.

    Parameters
    ----------
    store
        Which must not try again by itself.
    most_at_once
        Requests at the same time; further ones wait.
    secrets
        Words that no message must contain.
    large
        The same bucket, for what takes long to be sent: nothing is heard of it meanwhile.
    """

    def __init__(
        self,
        store: ObjectStore,
        keys: Keys | None = None,
        *,
        writing: Writing | None = None,
        retries: Retries | None = None,
        most_at_once: int = 25,
        secrets: Collection[str] = (),
        large: ObjectStore | None = None,
    ) -> None:
        self._store = store
        self._large = large or store
        self._keys = keys or Keys()
        self._writing = writing or Writing()
        self._retries = retries or Retries(SystemClock())
        self._places = threading.BoundedSemaphore(most_at_once)
        self._secrets = secrets

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        """Create a file.

        The outcome of an attempt that was cut off is unknown: should the file turn out to be there afterwards with
        this content, it is that of this call.
        """
        key = self._keys.of(name)
        parts = self._writing.parts
        put = self._put_parts if parts is not None and len(data) > parts.size else self._put
        tried = False

        def attempt() -> None:
            nonlocal tried
            may_be_mine, tried = tried, True
            if not put(key, data) and not (may_be_mine and self._is_there(key, data)):
                raise FileExistsError(f"There is a file {key} in the bucket already")

        self._try(attempt)

    def sync(self, name: str) -> None:
        """Return at once: what was written is in the bucket."""

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        """Return the content of a file from `offset` on, or `size` bytes of it, less at its end."""
        *first, last = self._keys.all_of(name)
        for key in first:
            try:
                return self._try(lambda key=key: self._get(key, size, offset))  # type: ignore[misc]
            except FileNotFoundError:
                continue
        return self._try(lambda: self._get(last, size, offset))

    def remove(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        for key in self._keys.all_of(name):
            self._try(lambda key=key: self._delete(key))  # type: ignore[misc]

    def _try(self, attempt: Callable[[], T]) -> T:
        def guarded() -> T:
            try:
                with self._places:
                    return attempt()
            except BaseError as error:
                raise area_error(error, self._secrets) from None  # the original may tell secrets

        return self._retries.run(guarded)

    def _put(self, key: str, data: bytes) -> bool:
        """Write a file in one piece; False if there is one already."""
        return self._written(key, data, mode="create")

    def _put_parts(self, key: str, data: bytes) -> bool:
        """Write a file in parts. No store can refuse to replace another file then, so it is looked for before."""
        parts = self._writing.parts
        assert parts is not None
        try:
            obstore.head(self._store, key)
        except FileNotFoundError:
            return self._written(key, data, use_multipart=True, chunk_size=parts.size, max_concurrency=parts.at_once)
        return False

    def _written(self, key: str, data: bytes, **how: Any) -> bool:
        store = self._large if how.get("chunk_size", len(data)) > _LARGE else self._store
        attributes, tags = self._writing.attributes or None, self._writing.tags or None
        try:
            obstore.put(store, key, data, attributes=attributes, tags=tags, **how)
        except AlreadyExistsError:
            return False
        except FileNotFoundError:
            raise AreaError(f"There is no bucket for {key}", is_away=False) from None
        return True

    def _is_there(self, key: str, data: bytes) -> bool:
        """Tell whether a file that exists has this content."""
        try:
            known = obstore.head(self._store, key)
            if known["size"] != len(data):
                return False
            md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
            return (known["e_tag"] or "").strip('"') == md5 or self._get(key, None, 0) == data
        except FileNotFoundError:  # it was said to exist
            raise AreaError(f"The bucket contradicts itself about {key}", is_away=True) from None

    def _get(self, key: str, size: int | None, offset: int) -> bytes:
        if size == 0:
            return b""
        if size is None and not offset:
            return obstore.get(self._store, key).bytes().to_bytes()
        try:
            if size is None:
                return obstore.get(self._store, key, options={"range": {"offset": offset}}).bytes().to_bytes()
            return obstore.get_range(self._store, key, start=offset, length=size).to_bytes()
        except BaseError as error:
            if is_past_the_end(error):
                return b""
            raise

    def _delete(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, key)
