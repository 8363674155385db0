"""Progress: a volunteer's own, all volunteers', and how well they agree."""
