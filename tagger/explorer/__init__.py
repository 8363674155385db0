"""The owner's pages of single clips and of the people who answer."""
