"""The panel for servers that share a list of jobs."""
