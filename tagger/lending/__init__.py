"""Lend tasks to volunteers, and take their answers."""
