"""Open campaigns and how far each has come."""
