"""Where a server keeps what must outlive it: the index, the files, the jobs and their outputs."""
