"""For whoever runs the site: first steps, what is not set up, and the page that says who runs this."""
