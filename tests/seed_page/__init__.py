"""Every command and script of the Orthanc Book's page "Advanced features of the REST API"."""
