"""Applies verdicts to tasks."""
