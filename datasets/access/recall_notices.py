"""Somebody wants, or does not want any more, an e-mail when clips that they downloaded are recalled.

The only writer of RecallNotice. That a box was unticked is in the opt-out journal.
"""

from datetime import datetime

from django.db import transaction

from accounts import consent, journal
from accounts.models import User
from datasets.models import Letter, RecallNotice

from . import letters

ENDED = "recall-notice-ended"  # in the opt-out journal


def is_wanted(person: User) -> bool:
    return RecallNotice.objects.filter(person=person).exists()


@transaction.atomic
def want(person: User, language: str) -> None:
    """From the next feed on, in this language of the site. Nothing for somebody who is leaving."""
    consent.lock(person)
    if User.objects.filter(pk=person.pk, is_active=True).exists():
        RecallNotice.objects.update_or_create(person=person, defaults={"language": language})


@transaction.atomic
def end(person: User, now: datetime) -> None:
    """Nothing more is sent, also of what is owed; no error if nothing was wanted."""
    for notice in RecallNotice.objects.select_for_update().filter(person=person):
        journal.append(ENDED, now, notice=str(notice.pk))
        notice.delete()
    letters.forget(person, Letter.Kind.RECALLED)


def end_again(entry: journal.Entry) -> int:
    """Of one that a restored backup brought back."""
    found = RecallNotice.objects.filter(pk=entry["notice"])
    Letter.objects.filter(kind=Letter.Kind.RECALLED, person__recall_notice__in=found).delete()
    return found.delete()[0]


def has_ended(entry: journal.Entry) -> bool:
    """Whether the act of this entry was committed."""
    return not RecallNotice.objects.filter(pk=entry["notice"]).exists()


def leave(person: User) -> None:
    """For an erasure."""
    RecallNotice.objects.filter(person=person).delete()
