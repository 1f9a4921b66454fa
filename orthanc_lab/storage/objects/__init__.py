"""The storage area in a bucket: S3, Google Cloud Storage, Azure Blob Storage. It needs the extra ``cluster``."""
