"""allauth's account adapter, changed to store names and addresses sealed instead of in plain text."""

from time import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.core import ratelimit
from django.contrib.auth.hashers import check_password
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from . import failed_log_ins, names, passwords, reauthentication
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

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        failed_log_ins.count(str(credentials.get("username", "")), timezone.now())

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        # allauth notes in the session the name that was used to log in, and sessions are in the database.
        for record in request.session.get(AUTHENTICATION_METHODS_SESSION_KEY, []):
            record.pop("username", None)
            record.pop("email", None)
        request.session.modified = True
        return super().pre_login(request, user, **kwargs)

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        request.session[reauthentication.LOGGED_IN_AT] = time()

    def reauthenticate(self, user: User, password: str) -> bool:
        """allauth's version looks the person up by name, and the row has only the name's hash."""
        key = f"reauthentication of {user.pk}"
        limit = {"action": "login_failed", "key": key}
        if not ratelimit.consume(self.request, **limit):
            raise self.validation_error("too_many_login_attempts")
        # The person's own method would renew an older hash, and with it end every session, this one too.
        is_right = user.is_active and check_password(password, user.password)
        if is_right:
            ratelimit.clear(self.request, **limit)
        return is_right

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not of someone who has just logged in; allauth's own pages ask this too."""
        if reauthentication.has_just_logged_in(self.request):
            return False
        required: bool = super().is_reauthentication_required(app=app, **kwargs)
        return required

    def set_password(self, user: User, password: str) -> None:
        passwords.change(user, password, self.request.session.session_key)
