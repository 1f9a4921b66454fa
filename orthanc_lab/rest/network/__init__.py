"""Resources that concern other DICOM nodes."""
