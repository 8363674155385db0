"""The front page, the pledge, the practice."""
