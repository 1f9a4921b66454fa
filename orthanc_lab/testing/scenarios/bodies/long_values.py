"""Named request bodies with values around the length that new instances do not inherit."""

from __future__ import annotations

import warnings

from orthanc_lab.testing.scenarios.bodies.files import slice_of, written

_TAGS = {
    "comments": "PatientComments",
    "history": "EthnicGroup",
    "study": "StudyDescription",
    "protocol": "ProtocolName",
    "physician": "ReferringPhysicianName",
    "step": "PerformedProcedureStepDescription",
}


def build() -> dict[str, bytes]:
    """Return every named body."""
    bodies = {}
    for name, keyword in _TAGS.items():
        for length in (64, 256, 257, 300):
            bodies[f"long-{name}-{length}"] = _with(keyword, "x" * length, "ISO_IR 100")
    for letter, length, charset in (
        ("é", 128, "ISO_IR 192"), ("é", 129, "ISO_IR 192"), ("é", 128, "ISO_IR 100"), ("é", 129, "ISO_IR 100"),
        ("山", 85, "ISO_IR 192"), ("山", 86, "ISO_IR 192"),
    ):  # fmt: skip
        bodies[f"long-{ord(letter)}-{length}-{charset[-3:]}"] = _with("PatientComments", letter * length, charset)
    return bodies


def _with(keyword: str, value: str, charset: str) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # most are longer than their VR allows
        return written(slice_of("I", "83", "1", 1, SpecificCharacterSet=charset, **{keyword: value}))
