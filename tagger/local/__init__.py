"""All that makes a bare machine enough: install, embedded servers, and one command that runs the site.

Django is never imported here: the launcher has to be able to say what is wrong when Django cannot start.
"""
