"""Who may download a release for researchers: asking, deciding, and who downloaded what."""
