"""The panel Modify: anonymize, modify, split and merge."""
