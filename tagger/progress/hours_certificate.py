"""A certificate of hours: a signed document of how much one person listened here. Nothing of it is stored.

It names its holder by their pseudonym, or by a name that they typed for this one print. The signature covers
the name, so no one can put another in its place, and the document alone is enough to check it at /receipts/.
"""

import unicodedata
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Max, Min, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accounts import signing
from accounts.models import User
from tagger import durations

from . import names

KIND = "certificate of hours"
LONGEST_NAME = 80
_IN_NAMES = " .,'’-"


def check_name(name: str) -> None:
    """Raises ValidationError unless this looks like a name: the site signs no sentence and no address."""
    if not any(unicodedata.category(letter)[0] == "L" for letter in name):
        raise ValidationError(_("A name needs at least one letter."), code="no_letters")
    sentence = _("A name can have letters, spaces and . , ' -, but not “%(character)s”.")
    names.check_letters(name, "LM", _IN_NAMES, sentence)


def has_listened(person: User) -> bool:
    """Whether there is a minute to certify."""
    seconds = person.annotations.aggregate(all=Sum("task__clip__seconds", default=0.0))["all"]
    return durations.whole_minutes(seconds) > 0


def document(person: User, name: str, now: datetime) -> dict[str, Any] | None:
    """The certificate, signed; None for someone who has not listened for a minute.

    `name` is one that they typed; without one it is made out to their pseudonym. Two queries.
    """
    kinds = list(
        person.annotations.values("task__campaign__kind")
        .annotate(seconds=Sum("task__clip__seconds"), first=Min("created_at"), last=Max("created_at"))
        .order_by("task__campaign__kind")
    )
    minutes = durations.whole_minutes(sum(each["seconds"] for each in kinds))
    if not minutes:
        return None
    days = person.annotations.annotate(day=TruncDate("created_at")).values("day").distinct().count()
    return signing.sign(
        {
            "document": KIND,
            "edition": 1,
            "site": settings.SITE_URL,
            "holder": name or person.pseudonym,
            "holder_is": (
                "a name typed for this certificate, which the site did not check"
                if name
                else "the holder's pseudonym on the site"
            ),
            "minutes_listened": minutes,
            "days_active": days,
            "kinds_of_work": [each["task__campaign__kind"] for each in kinds],
            "from": _month(min(each["first"] for each in kinds)),
            "to": _month(max(each["last"] for each in kinds)),
            "issued_on": f"{localtime(now):%Y-%m-%d}",
            "check_at": settings.SITE_URL + reverse("check_receipt"),
        }
    )


def _month(at: datetime) -> str:
    return f"{localtime(at):%Y-%m}"
