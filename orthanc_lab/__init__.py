"""Orthanc, the DICOM server, in pure Python: for notebooks, teaching and test suites."""
