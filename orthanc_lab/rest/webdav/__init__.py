"""WebDAV: what is stored as folders and files, for file managers."""
