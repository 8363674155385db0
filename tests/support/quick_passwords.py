"""The site's settings with passwords that are hashed in no time, for tests that log in a hundred times."""

from tagger.settings import *  # noqa: F403
from tests.support.quick_hasher import HASHERS

PASSWORD_HASHERS = HASHERS
