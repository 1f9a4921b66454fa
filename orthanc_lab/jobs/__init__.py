"""The jobs engine: it knows no DICOM and no SQL of the index."""
