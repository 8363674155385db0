"""Collections that owners bring in the browser or by the API: sent in parts, sealed, added by a worker."""
