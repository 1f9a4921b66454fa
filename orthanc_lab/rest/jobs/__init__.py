"""Jobs, and what is sent as a job."""
