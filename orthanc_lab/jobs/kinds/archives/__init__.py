"""ZIP archives and DICOMDIR media."""
