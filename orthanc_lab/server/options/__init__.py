"""The options of the configuration file."""
