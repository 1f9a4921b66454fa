"""Jobs that have other DICOM nodes send what they have."""
