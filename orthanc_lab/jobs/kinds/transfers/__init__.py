"""Jobs that transfer many instances between two servers, in buckets: push and pull."""
