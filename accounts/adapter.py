"""Where allauth would keep a name in plain, ours keeps it sealed."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse

from .ciphers import hashed_name
from .models import DataKey, User


class Adapter(DefaultAccountAdapter):
    def clean_username(self, username: str, shallow: bool = False) -> str:
        cleaned: str = super().clean_username(username, shallow=True)
        if not shallow and User.objects.filter(username=hashed_name(cleaned)).exists():
            raise self.validation_error("username_taken")
        return cleaned

    @transaction.atomic
    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """A new person with their key, and what names them sealed under it."""
        user.username = hashed_name(form.cleaned_data["username"])
        user.set_password(form.cleaned_data["password1"])
        user.save()
        DataKey.objects.create_for(user)
        user.name_as(form.cleaned_data["username"], form.cleaned_data.get("email") or "")
        return user

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        # allauth notes in the session under which name somebody logged in; sessions lie in the database.
        for record in request.session.get(AUTHENTICATION_METHODS_SESSION_KEY, []):
            record.pop("username", None)
            record.pop("email", None)
        request.session.modified = True
        return super().pre_login(request, user, **kwargs)
