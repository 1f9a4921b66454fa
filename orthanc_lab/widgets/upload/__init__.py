"""The panel of uploads."""
