"""The cost of one answer under load, compared with its floor: `python -m bench.load --tasks N --users K`."""
