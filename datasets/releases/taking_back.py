"""Who lets releases list their answers one by one, and how those votes end.

Nobody's are listed unless they switched it on, and then only what they answered from then on. Whoever leaves
or takes it back is out at once: what archives say of their votes is blank. The next recall feed removes the
blanks and names the ids of who gave them, for the copies.
"""

from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Case, F, QuerySet, Value, When

from accounts import journal
from accounts.models import User
from datasets.models import Release, ReleaseAnnotator, SingleVote

from .freezing import FREEZE_LOCK

ENDED = "single-votes"  # in the opt-out journal
NO_DAY = date(1, 1, 1)  # in place of a day that was taken back


def agree(person: User, now: datetime) -> None:
    """What they answer from now on may be in later releases. Agreeing again changes nothing."""
    agreeing = User.objects.filter(pk=person.pk, is_active=True, single_votes_since=None)
    agreeing.update(single_votes_since=now)


@transaction.atomic
def take_back(person: User, now: datetime) -> None:
    """Nothing of theirs is listed any more, in any release."""
    agreed = User.objects.filter(pk=person.pk, single_votes_since__isnull=False)
    if agreed.exists():
        journal.append(ENDED, now, person_id=person.pk)
        agreed.update(single_votes_since=None)
        take_out(ReleaseAnnotator.objects.filter(person=person))


def has_ended(entry: journal.Entry) -> bool:
    """Whether what the journal says was committed."""
    return not _agreed_before(entry).exists()


@transaction.atomic
def end_again(entry: journal.Entry) -> int:
    """End what the journal says was ended, in a database that a backup brought back; returns how much."""
    people = list(_agreed_before(entry).values_list("pk", flat=True))
    take_out(ReleaseAnnotator.objects.filter(person__in=people))
    return User.objects.filter(pk__in=people).update(single_votes_since=None)


def _agreed_before(entry: journal.Entry) -> QuerySet[User]:
    written_at = datetime.fromisoformat(entry["written_at"])
    return User.objects.filter(pk=entry["person_id"], single_votes_since__lte=written_at)


def forget(person: User) -> int:
    """For an erasure; returns how many votes were erased. Call it first in a transaction.

    It waits for a release that is being made, because before that nobody else sees what it pins.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [FREEZE_LOCK])
    return take_out(ReleaseAnnotator.objects.filter(person=person))


def take_out(annotators: QuerySet[ReleaseAnnotator]) -> int:
    """Erase what they gave and who they are; returns how many votes that are. No size changes by it."""
    found = list(annotators.values_list("pk", flat=True))
    taken = SingleVote.objects.filter(giver__in=found).update(
        giver=None,
        plain_answer="",
        sealed_answer=b"",
        # What was never said takes no bytes, so it stays that.
        weight=F("weight") * 0,
        day=Case(When(day=None, then=None), default=Value(NO_DAY)),
    )
    ReleaseAnnotator.objects.filter(pk__in=found).update(person=None)
    return taken


def end(release: Release, today: date) -> int:
    """For the feed of the day: remove what is blank, and name who gave it; returns how many ids that are."""
    if not release.has_single_votes:
        return 0
    agreeing = {"person__is_active": True, "person__single_votes_since__isnull": False}
    take_out(release.annotators.filter(person__isnull=False).exclude(**agreeing))
    SingleVote.objects.filter(row__release=release, giver=None).delete()
    return release.annotators.filter(person=None, ended_on=None).update(ended_on=today)


def ended(release: Release) -> list[str]:
    """The ids whose votes copies must lose, as of the newest feed."""
    named = release.annotators.filter(ended_on__isnull=False)
    return sorted(named.values_list("public_id", flat=True))
