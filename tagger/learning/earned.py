"""Who has earned a track record in a crowd: by a control, or by many answers over more than a day."""

from datetime import datetime

from django.conf import settings

from accounts.models import User
from datasets.models import Annotation, Task
from tagger.settling import kept_weights, track_records

from .learned import Learned


def grant(kind: str, language: str, learned: Learned, now: datetime) -> None:
    """By many answers: at least so many, from an account so old, and not so bad that they weigh little.

    The second way needs no control, so that the first volunteers of a new site have it the day after.
    """
    track_records.grant_for_controls(kind, language)
    many = [
        who
        for who, number in learned.answers.items()
        if number >= settings.TRACK_RECORD_ANSWERS
        and kept_weights.of_person(kind, learned.scores[who], learned.skills[who]) > Annotation.Weight.LITTLE
    ]
    old = User.objects.filter(is_active=True, date_joined__lte=now - settings.TRACK_RECORD_AGE)
    track_records.grant(kind, language, set(old.filter(pk__in=many).values_list("pk", flat=True)))
    reviewers = track_records.reviewers(list(learned.answers))
    track_records.grant(kind, language, set(reviewers.values_list("pk", flat=True)))


def no_longer_waiting(kind: str, language: str) -> list[int]:
    """Tasks that await a track record though their campaign needs none any more."""
    waiting = Task.objects.filter(awaits_record=True, status__in=(Task.Status.OPEN, Task.Status.DISPUTED))
    unneeded = waiting.filter(
        campaign__kind=kind, campaign__language=language, campaign__needs_track_record=False
    )
    return list(unneeded.values_list("pk", flat=True))
