"""The open campaigns and their progress."""
