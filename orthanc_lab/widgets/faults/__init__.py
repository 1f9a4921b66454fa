"""The panel for the faults of a server."""
