"""The form that makes DICOM of pictures and documents: its logic (no widget in it), and its parts."""
