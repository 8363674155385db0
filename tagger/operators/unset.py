"""What an operator has not set up yet: one list for the admin's pages and for `manage.py check --deploy`.

Only settings and the site's own database and Redis are asked. No mail server and no other site is called.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.http.request import validate_host
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import audit, operators
from accounts.factors import authenticators
from accounts.models import REVIEWERS, AuditEvent, Site, User
from tagger.models import ReviewItem

from . import seen

BACKUP_EVERY = timedelta(days=2)
MANY = 100  # people with power who are looked at


@dataclass(frozen=True)
class Unset:
    """One thing that is missing, and where it is set: a variable of the environment, or a page."""

    name: str
    sentence: str | Promise
    setting: str = ""
    page: str = ""
    detail: str = ""  # names of queues, or numbers of people

    @property
    def is_setup(self) -> bool:
        """Whether it is seen before anything runs, and so by `check --deploy`."""
        return self.name in NUMBERS


def everything(now: datetime) -> list[Unset]:
    """All that is missing, what harms people most first."""
    return [*of_setup(now), *_of_work(now)]


def of_setup(now: datetime) -> Iterator[Unset]:
    yield from _of_address()
    yield from _of_keys(now)
    yield from _of_operator()
    yield from _of_people()


def _of_address() -> Iterator[Unset]:
    if not settings.HTTPS:
        yield Unset(
            "https", _("HTTPS is off: anyone on the way can read passwords and hear voices."), "HTTPS=1"
        )
    host = urlsplit(settings.SITE_URL).hostname or ""
    if host in ("", "localhost", "127.0.0.1", "::1"):
        yield Unset(
            "site", _("The site does not know its own address, which receipts and releases name."), "SITE_URL"
        )
    elif "*" in settings.ALLOWED_HOSTS or not validate_host(host, settings.ALLOWED_HOSTS):
        yield Unset(
            "hosts",
            _("The hosts that the site answers for must be named, and its own address must be one of them."),
            "ALLOWED_HOSTS",
        )


def _of_keys(now: datetime) -> Iterator[Unset]:
    here = Site.objects.first()
    if not settings.KEYS_COPIED_BY:
        yield Unset(
            "key copy",
            _("The master keys have no copy elsewhere: if their folder is lost, so is every recording."),
            "KEYS_COPIED_BY",
        )
    elif here and here.keys_not_copied_since:
        yield Unset("key copy fails", _("The command that copies the master keys fails."), "KEYS_COPIED_BY")
    made = AuditEvent.objects.filter(act=audit.Act.BACKED_UP).order_by("-number").first()
    if made is None:
        yield Unset("no backup", _("No backup has been made yet."), "manage.py backup")
    elif made.at < now - BACKUP_EVERY:
        yield Unset("old backup", _("The last backup is more than two days old."), "manage.py backup")


def _of_operator() -> Iterator[Unset]:
    form = reverse("first_steps") + "#operator"
    operator = operators.stored()
    if operator is None:
        yield Unset("operator", _("Nobody can read who runs this site, and whom to write to."), page=form)
    if operator is None or not operator.has_privacy_page:
        yield Unset("privacy page", _("There is no privacy page."), page=form)
    if settings.CONTACT == settings.NO_CONTACT:
        yield Unset("contact", _("Receipts and releases name no contact."), "CONTACT")
    if not settings.EMAIL_HOST:
        yield Unset(
            "mail",
            _("There is no mail server, so nobody can have a new password sent to them."),
            "EMAIL_HOST",
        )


def _of_people() -> Iterator[Unset]:
    roles = reverse("first_steps") + "#roles"
    lacking = [str(pk) for pk in powerful().exclude(_HAS_FACTOR).values_list("pk", flat=True)[:MANY]]
    if lacking:
        yield Unset(
            "factors",
            _("These people were given power that does not count, as they have no second factor yet:"),
            page=roles,
            detail=", ".join(lacking),
        )
    waiting = ReviewItem.objects.open().filter(kind=ReviewItem.Kind.DISPUTE)
    if not reviewers().exists() and waiting.exists():
        yield Unset("reviewer", _("Disputes wait, and nobody is there to decide them."), page=roles)


SILENT = {
    seen.Silence.NO_WORKER: _("Work waits, and no worker has taken any for three minutes:"),
    seen.Silence.NO_BEAT: _("For three minutes nothing was due by the clock: is beat running?"),
    seen.Silence.NO_REDIS: _("Redis does not answer."),
}
HOW = {
    seen.Silence.NO_WORKER: "celery -A tagger worker",
    seen.Silence.NO_BEAT: "celery -A tagger beat",
    seen.Silence.NO_REDIS: "REDIS_URL",
}


def _of_work(now: datetime) -> Iterator[Unset]:
    for silence, queues in seen.silences(now).items():
        named = ", ".join(queues) if silence == seen.Silence.NO_WORKER else ""
        yield Unset(silence, SILENT[silence], HOW[silence], detail=named)


# The numbers of warnings of `check --deploy` stay as they are, so that operators can silence one.
NUMBERS = {
    "https": 1,
    "site": 2,
    "hosts": 3,
    "key copy": 4,
    "key copy fails": 5,
    "no backup": 6,
    "old backup": 7,
    "operator": 8,
    "privacy page": 9,
    "contact": 10,
    "mail": 11,
    "factors": 12,
    "reviewer": 13,
}


_HAS_FACTOR = Exists(authenticators.of_everyone().filter(user=OuterRef("pk")))


def powerful() -> QuerySet[User, Any]:
    """People with power, each with `may_act`: whether they have the second factor with which it counts."""
    some = User.objects.with_power().order_by("pk").annotate(may_act=_HAS_FACTOR)
    return some if settings.DEBUG else some.filter(is_demo=False)


def reviewers() -> QuerySet[User, Any]:
    """Those who were given the role, and may use it."""
    return powerful().filter(_HAS_FACTOR, roles__overlap=REVIEWERS)
