"""Files in a database, and the journal of files that several servers share."""
