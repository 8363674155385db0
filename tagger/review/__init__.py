"""Disputes and reports, for reviewers."""
