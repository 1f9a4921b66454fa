"""DICOM data sets as JSON and XML."""
