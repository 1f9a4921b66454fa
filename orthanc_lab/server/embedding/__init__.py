"""Servers inside another program: in a thread, without a socket, as a child process."""
