"""The error that ends a start."""


class StartRefused(Exception):
    """The site cannot start; the message tells the user why and is printed without a traceback."""
