"""HTTP: Falcon resources, one module a URI family: parse, call, encode."""
