"""Votes to a verdict, transcripts to a text: pure functions over all votes, without Django."""
