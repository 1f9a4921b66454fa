"""Tests of ``orthanc-lab certify``, and the recording of the answers that it compares with."""
