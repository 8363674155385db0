"""Bringing clips in the browser: an owner's pages and calls, undoing, withdrawing imported people."""
