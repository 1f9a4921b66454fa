"""The panel for metrics."""
