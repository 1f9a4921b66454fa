"""One module a job type; each is a list of resumable steps."""
