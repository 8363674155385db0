"""Collections that owners bring in the browser or by the API, in parts, sealed; and archives of releases."""
