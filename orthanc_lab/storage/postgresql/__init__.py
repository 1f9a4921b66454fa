"""The index on PostgreSQL: shared by several servers, one of which writes at a time."""
