"""Figures compared with other methods and floors, measured in one run: `python -m bench [part…]`."""
