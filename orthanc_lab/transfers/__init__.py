"""Transfers of many instances between two servers: buckets, their bytes on the wire and on disk, and their commit."""
