"""The benchmark: two servers, the same work in turn, and the ratio of each pair."""
