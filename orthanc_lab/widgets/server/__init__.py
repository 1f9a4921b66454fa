"""The panel of the server."""
