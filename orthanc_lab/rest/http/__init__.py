"""HTTP: reading requests, writing answers."""
