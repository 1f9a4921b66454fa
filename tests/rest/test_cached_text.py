"""Texts that are kept: written again when their source has changed, and forgotten when they are too many."""

from __future__ import annotations

from orthanc_lab.rest.http.cached_text import TextCache


class Writer:
    def __init__(self) -> None:
        self.written: list[str] = []

    def __call__(self, source: str) -> bytes:
        self.written.append(source)
        return source.encode() + b"!"


def test_a_text_is_written_again_when_its_source_has_changed() -> None:
    write = Writer()
    cache = TextCache[str](write)
    texts = [cache.text(source) for source in ("a", "a", "b", "a")]
    assert texts == [b"a!", b"a!", b"b!", b"a!"]
    assert write.written == ["a", "b", "a"]


def test_each_key_has_a_text_of_its_own() -> None:
    write = Writer()
    cache = TextCache[str](write)
    for _ in range(2):
        assert cache.text("a", key=1) == cache.text("a", key=2) == b"a!"
    assert write.written == ["a", "a"]


def test_the_oldest_texts_are_forgotten_beyond_the_size() -> None:
    write = Writer()
    cache = TextCache[str](write, size=10)
    for source in ("aaaa", "bbbb"):  # 5 bytes each
        cache.text(source, key=source)
    cache.text("cccc", key="cccc")
    cache.text("bbbb", key="bbbb")
    assert write.written == ["aaaa", "bbbb", "cccc"]
    cache.text("aaaa", key="aaaa")
    assert write.written[3:] == ["aaaa"]
    assert cache.text("d" * 20, key="d") == b"d" * 20 + b"!", "larger than the cache"
