"""The panel for archives and media."""
