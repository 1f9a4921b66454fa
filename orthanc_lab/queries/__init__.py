"""Searching: what ``/tools/find`` and C-FIND share."""
