"""The panel of jobs."""
