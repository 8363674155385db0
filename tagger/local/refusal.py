"""A reason to stop, in words."""


class StartRefused(Exception):
    """A reason to stop, told in words for whoever typed the command: no traceback follows it."""
