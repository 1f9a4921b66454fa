"""``orthanc-lab certify``: which answers of a server differ from those of Orthanc 1.12.7."""

from orthanc_lab.testing.certify.certification import Certification
from orthanc_lab.testing.certify.results import AcceptedDifference, Certificate, Compared, ScenarioResult
from orthanc_lab.testing.certify.target import TargetError

__all__ = ["AcceptedDifference", "Certificate", "Certification", "Compared", "ScenarioResult", "TargetError"]
