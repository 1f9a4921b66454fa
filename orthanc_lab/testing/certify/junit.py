"""A certificate as JUnit XML: a test case for each scenario, and an error if the certification itself failed."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from orthanc_lab.protocol.xml_text import xml_text
from orthanc_lab.testing.certify.results import Certificate, ScenarioResult

__all__ = ["junit"]

_CLASS = "orthanc_lab.certify"


def junit(certificate: Certificate) -> str:
    """Return the XML."""
    results = certificate.results
    failed = not certificate.passed and not certificate.differing
    suite = ET.Element(
        "testsuite",
        name=f"Orthanc {certificate.version}",
        tests=str(len(results) + failed),
        failures=str(sum(bool(result.differing) for result in results)),
        errors=str(int(failed)),
        skipped=str(sum(bool(result.not_run) for result in results)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in {"url": certificate.url, **certificate.options}.items():
        ET.SubElement(properties, "property", name=name, value=_printable(value))
    for result in results:
        _case(suite, result, certificate.version)
    if failed:
        case = ET.SubElement(suite, "testcase", classname=_CLASS, name="certification")
        ET.SubElement(case, "error", message=certificate.verdict)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, result: ScenarioResult, version: str) -> None:
    case = ET.SubElement(suite, "testcase", classname=_CLASS, name=result.name, time=f"{result.seconds:.3f}")
    if result.not_run:
        ET.SubElement(case, "skipped", message=f"Such scenarios {result.not_run}")
    elif result.differing:
        message = f"{len(result.differing)} of {len(result.compared)} answers differ from those of Orthanc {version}"
        failure = ET.SubElement(case, "failure", message=message)
        failure.text = _printable("\n\n".join(str(one) for one in result.differing))


def _printable(text: str) -> str:
    return xml_text(text)
