"""Pure functions on bytes and data sets: no I/O, no state."""
