"""The server itself: its state, tools, options and metrics."""
