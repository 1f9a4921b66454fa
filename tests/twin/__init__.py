"""Twin tests: the same exchanges on our server and on the real Orthanc."""
