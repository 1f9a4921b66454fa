"""The panel for DICOM nodes."""
