"""The code of what a panel does: Python for the client, and curl."""
