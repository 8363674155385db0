"""Runs the whole site on a bare machine: installation, embedded servers, and the launcher of `make run`.

Only `forks.py` loads the site, once its servers run. What comes before does without, so that the launcher can
say in one line what is wrong.
"""
