"""Votes to a verdict, transcripts to a text: pure functions over the whole list, with no Django."""
