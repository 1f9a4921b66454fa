"""Grading of the exercises: what the server says is judged, not what a notebook shows."""
