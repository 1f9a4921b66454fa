"""The panel of archives."""
