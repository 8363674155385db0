"""Runs the whole site on a bare machine: installation, embedded servers, and the launcher of `make run`.

Nothing here imports Django, so that the launcher can report what is wrong when Django cannot start.
"""
