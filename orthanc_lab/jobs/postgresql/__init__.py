"""The list of jobs, and where the bytes of their outputs are, in PostgreSQL."""
