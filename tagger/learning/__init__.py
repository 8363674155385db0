"""Learn each crowd, once an hour."""
