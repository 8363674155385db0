"""Which e-mails are owed: written in the transaction of what they tell, so that none is lost or made up.

With `sending`, the only writer of Letter.
"""

from datetime import datetime

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import AuditEvent, User
from datasets.models import AccessRequest, Letter, RecallNotice, Release


def owe_decision(asked: AccessRequest, now: datetime) -> None:
    """To whoever asked, that the request is in this state now. Nothing where no e-mail was announced."""
    if settings.SENDS_MAIL and asked.language:
        _owe(
            Letter(
                person=asked.person,
                release=asked.release,
                kind=asked.state,
                language=asked.language,
                day=now.date(),
                next_try_at=now,
            )
        )


def owe_recalls(
    release: Release, now: datetime, *, recalled: int, not_for_synthesis: int, annotators: int
) -> None:
    """To everyone who downloaded the release and wants it, in the transaction that publishes the feed.

    The counts are those of Letter.
    """
    if not settings.SENDS_MAIL:
        return
    downloads = AuditEvent.objects.filter(act=AuditEvent.Act.EXPORTED, about=f"release {release.slug}")
    wanted = RecallNotice.objects.filter(Exists(downloads.filter(person=OuterRef("person"))))
    # An erasure, or a box that is unticked now, waits for this, and takes back what is owed.
    for notice in wanted.select_for_update().order_by("pk"):
        _owe(
            Letter(
                person_id=notice.person_id,
                release=release,
                kind=Letter.Kind.RECALLED,
                language=notice.language,
                day=now.date(),
                recalled=recalled,
                not_for_synthesis=not_for_synthesis,
                annotators=annotators,
                next_try_at=now,
            )
        )


def given_up(person: User) -> QuerySet[Letter]:
    """What could not be sent to them in the last weeks, the newest first."""
    found = person.letters.filter(next_try_at=None, sent_at=None)
    return found.select_related("release").order_by("-day", "pk")


def forget(person: User, *kinds: str) -> None:
    """Of these kinds, or all: nothing of them is owed to this person any more."""
    found = person.letters.filter(kind__in=kinds) if kinds else person.letters.all()
    found.delete()


def _owe(letter: Letter) -> None:
    letter.save(force_insert=True)
    # If the broker cannot be reached, beat asks later.
    transaction.on_commit(lambda: current_app.send_task("datasets.access.tasks.send_letters"), robust=True)
