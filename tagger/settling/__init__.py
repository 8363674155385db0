"""Apply verdicts to tasks."""
