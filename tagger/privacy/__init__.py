"""Leaving, erasure and proof, on top of all tables."""
