"""Which client survives which fault: ``python -m orthanc_lab.testing.survival``."""
