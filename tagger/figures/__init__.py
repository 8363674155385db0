"""How a campaign goes, for its owner: counted by workers into rows, drawn on pages, given as CSV and JSON."""
