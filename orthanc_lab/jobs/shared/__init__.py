"""One list of jobs for several servers: each runs some of them, and any answers for all."""
