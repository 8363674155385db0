"""What one answer costs, under load and beside its floor: `python -m bench.load --tasks N --users K`."""
