"""The panel for jobs."""
