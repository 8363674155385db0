"""The campaigns that a volunteer chooses from, and their progress."""
