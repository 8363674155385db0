"""allauth's adapter for factors: what an authenticator app and a passkey call the account."""

from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from django.utils.translation import gettext as _

from accounts.models import User


class FactorAdapter(DefaultMFAAdapter):
    """The pseudonym goes into the person's own app or passkey, from their own page, and is stored nowhere."""

    def get_totp_label(self, user: Any) -> str:
        return self._name(user)

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        name = self._name(user)
        # An authenticator shows its owner the name, and gives the id to this site alone.
        return {"id": str(user.pk).encode(), "name": name, "display_name": name}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        """A first name for a new key; allauth's would be “Master key”, which is another thing here."""
        return _("Key %(number)d") % {"number": user.authenticator_set.filter(type=type).count() + 1}

    def _name(self, user: User) -> str:
        return user.pseudonym
