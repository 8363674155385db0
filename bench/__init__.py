"""Figures beside peers and floors, measured in one run: `python -m bench [part…]`. No part of the site."""
