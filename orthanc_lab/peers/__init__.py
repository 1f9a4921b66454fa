"""Other Orthanc servers: how they are described, and the HTTP client that talks to them."""
