"""The volunteer's page and its API."""
