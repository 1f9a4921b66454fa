"""DICOM files (PS3.10): reading, scanning and writing their elements."""
