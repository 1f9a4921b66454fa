"""What makes something new: uploads, DICOM-izing, modification, archives."""
