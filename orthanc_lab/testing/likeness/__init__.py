"""Whether two answers are alike: equal but for what each server makes up by itself."""

from orthanc_lab.testing.likeness.answers import compare_answers
from orthanc_lab.testing.likeness.difference import Difference
from orthanc_lab.testing.likeness.pairs import Pairs

__all__ = ["Difference", "Pairs", "compare_answers"]
