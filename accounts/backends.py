"""Log-in by pseudonym, which is looked up by its hash."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from .models import User


class ByPseudonym(AuthenticationBackend):
    """allauth's log-in, except that the row is found by the pseudonym's hash."""

    def _authenticate_by_username(self, username: str, password: str) -> User | None:
        try:
            person = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            return None
        return self._check_password(person, password)

    def user_can_authenticate(self, user: Any) -> bool:
        """Asked at log-in, and for every request of a session."""
        return bool(user.may_log_in)
