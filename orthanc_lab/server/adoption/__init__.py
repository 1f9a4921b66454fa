"""``orthanc-lab import``: the storage of a real Orthanc is taken over."""
