"""allauth's account adapter, changed in two things.

It stores names and e-mail addresses sealed instead of in plain text. And it counts passwords by
accounts.limits, because allauth's own limits put plain network addresses into Redis.
"""

from time import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.stagekit import clear_login
from django.contrib.auth.hashers import check_password
from django.forms import Form, ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from . import (
    client_addresses,
    failed_log_ins,
    known_browsers,
    limits,
    names,
    password_tries,
    passwords,
    reauthentication,
    too_many,
)
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
        if not user.may_log_in:
            clear_login(request)
            return self.respond_user_inactive(request, user)
        return super().pre_login(request, user, **kwargs)

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        request.session[reauthentication.LOGGED_IN_AT] = time()

    def reauthenticate(self, user: User, password: str) -> bool:
        """allauth's version looks the person up by name, and the row has only the name's hash."""
        try:
            counted = password_tries.count_confirmation(user, timezone.now())
        except limits.LimitReached as reached:
            raise self._said_in_the_form(reached) from reached
        # The person's own method would renew an older hash, and with it end every session, this one too.
        is_right = user.is_active and check_password(password, user.password)
        if is_right:
            counted.take_back()
        return is_right

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not of someone who has just logged in; allauth's own pages ask this too."""
        if reauthentication.has_just_logged_in(self.request):
            return False
        required: bool = super().is_reauthentication_required(app=app, **kwargs)
        return required

    def set_password(self, user: User, password: str) -> None:
        passwords.change(user, password, self.request.session.session_key)
        password_tries.forget_wrong_ones(self.request, user, timezone.now())

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whatever allauth may do with it, it never has an address: only a hash that changes every hour."""
        return limits.hour_hash(client_addresses.client(request), timezone.now())

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the password before it is checked; `authenticate` takes it back if it was right."""
        try:
            self._counted = password_tries.count_log_in(request, credentials["username"], timezone.now())
        except limits.LimitReached as reached:
            raise self._said_in_the_form(reached) from reached

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        found: User | None = super().authenticate(request, **credentials)
        if found:
            self._counted.take_back()
        return found

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        known_browsers.remember(response, user.pseudonym)
        return response

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """The second factor comes first in a session that was opened without it."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if user.is_authenticated and not user.has_proven_factor:
            methods.sort(key=lambda method: method["id"] == "reauthenticate")
        return methods

    def _said_in_the_form(self, reached: limits.LimitReached) -> ValidationError:
        return ValidationError(too_many.sentence(self.request, reached), code=reached.code)
