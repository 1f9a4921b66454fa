"""Clients written for Orthanc, unmodified, on our server and on the real one."""
