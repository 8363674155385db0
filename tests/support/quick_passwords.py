"""The site's settings with passwords that are hashed in no time, for tests that log in a hundred times."""

from tagger.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
