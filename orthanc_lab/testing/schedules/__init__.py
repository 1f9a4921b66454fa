"""Running a scenario under many schedules: which task goes on, when a command, a crash or a retry comes."""
