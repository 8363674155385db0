"""allauth's account adapter, changed to store names and addresses sealed instead of in plain text."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.forms import Form
from django.http import HttpRequest, HttpResponse

from . import names
from .models import User


class Adapter(DefaultAccountAdapter):
    def clean_username(self, username: str, shallow: bool = False) -> str:
        cleaned: str = super().clean_username(username, shallow=True)
        if not shallow and User.objects.found_by(names.looked_up(cleaned)).exists():
            raise self.validation_error("username_taken")
        return cleaned

    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """Create a person with their data key, and seal their name and address under it."""
        pseudonym, address = form.cleaned_data["username"], form.cleaned_data.get("email") or ""
        user.set_password(form.cleaned_data["password1"])
        return User.objects.save_found_by(names.looked_up(pseudonym), user, pseudonym, address)

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        # allauth notes in the session the name that was used to log in, and sessions are in the database.
        for record in request.session.get(AUTHENTICATION_METHODS_SESSION_KEY, []):
            record.pop("username", None)
            record.pop("email", None)
        request.session.modified = True
        return super().pre_login(request, user, **kwargs)
