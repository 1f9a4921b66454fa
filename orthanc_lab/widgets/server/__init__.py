"""The panel for the server."""
