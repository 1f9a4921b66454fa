"""Jobs that send instances to another server."""
