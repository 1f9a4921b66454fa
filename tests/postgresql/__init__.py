"""PostgreSQL as servers share it."""
