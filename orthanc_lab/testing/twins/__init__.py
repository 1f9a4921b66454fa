"""Twins: the same test, or the same cell of a notebook, on this server and on another one."""
