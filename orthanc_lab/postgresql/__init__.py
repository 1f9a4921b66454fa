"""PostgreSQL, as the index, the files and the list of jobs use it: options, transactions, the schema, notifications."""
