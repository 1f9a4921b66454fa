"""Other DICOM nodes: how they are described, and the associations and messages that reach them."""
