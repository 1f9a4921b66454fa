"""The panel for what happened to jobs."""
