"""The panel for uploads."""
