"""New DICOM instances from images and documents."""
