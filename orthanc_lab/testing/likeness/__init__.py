"""Comparing two responses: they are alike if they differ only in values that each server generates itself."""

from orthanc_lab.testing.likeness.answers import compare_answers
from orthanc_lab.testing.likeness.difference import Difference
from orthanc_lab.testing.likeness.pairs import Pairs

__all__ = ["Difference", "Pairs", "compare_answers"]
