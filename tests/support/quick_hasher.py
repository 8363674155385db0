"""Hashes of passwords as the site's own, made with one round instead of a million."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher

HASHERS = ["tests.support.quick_hasher.QuickHasher"]


class QuickHasher(PBKDF2PasswordHasher):
    """Its hashes open on a site too."""

    iterations = 1
