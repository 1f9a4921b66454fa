"""The index (SQL) and the attachments (files)."""
