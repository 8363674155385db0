"""Disputes and reported clips, for reviewers."""
