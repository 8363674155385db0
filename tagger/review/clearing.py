"""The look before publication: privacy reviewers hear a clip whole and say whether anything private occurs.

Two of them who hear nothing private clear it. If one hears something or is not sure, a reviewer decides. Each
answers for themselves: nobody who checks is told what another answered, and nobody checks a clip that they
gave, reported, decided on, or checked before.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThan
from django.utils import timezone

from accounts import audit
from accounts.models import Purpose, User
from accounts.refusals import Refusal
from datasets.clips import hearing
from datasets.models import Campaign, Clip, Task
from tagger.lending.assignments import END_TOLERANCE
from tagger.models import Decision, PrivacyCheck, Report, ReviewItem

from . import known_positives

CHECKERS = 2  # who must hear nothing private before a clip is cleared
LEASE = timedelta(minutes=15)
FASTEST = 2  # the highest speed of the player
MOST_PARTS = 20

Answer = PrivacyCheck.Answer
Part = tuple[float, float]  # from and to, in seconds


class CheckRefusal(StrEnum):
    NOT_AN_ANSWER = "check-not-an-answer"  # answers
    NOT_HEARD_WHOLE = "check-not-heard-whole"
    NOTHING_MARKED = "check-nothing-marked"
    NOTHING_NAMED = "check-nothing-named"
    NOT_A_PART = "check-not-a-part"  # seconds
    CONTRADICTS_MARKS = "check-contradicts-marks"
    TOO_LATE = "check-too-late"
    ALREADY_ANSWERED = "check-already-answered"


class CheckRefused(Refusal):
    """Its code is a CheckRefusal. Nothing was changed."""


@transaction.atomic
def take(checker: User, now: datetime) -> PrivacyCheck | None:
    """The check that is lent to this person, or the next one; None if nothing waits for them."""
    if not User.objects.select_for_update(no_key=True).filter(pk=checker.pk, is_active=True).exists():
        return None
    return held(checker, now) or _lend_next_clip(checker, now)


def held(checker: User, now: datetime) -> PrivacyCheck | None:
    """What is lent to this person and not answered yet, if its clip may still be heard."""
    return playable(checker, now).order_by("pk").first()


def may_be_released() -> QuerySet[Clip]:
    """The clips with a settled task that some release for which they must be cleared could have."""
    settled = Task.objects.filter(clip=OuterRef("pk"), status=Task.Status.SETTLED)
    for_all = Exists(Clip.objects.filter(pk=OuterRef("pk")).live_for(Purpose.PUBLIC)) & Exists(settled)
    for_researchers = Exists(Clip.objects.filter(pk=OuterRef("pk")).live_for(Purpose.RESEARCHERS)) & Exists(
        settled.filter(campaign__needs_clearing=True)
    )
    # Who checks hears the clip as volunteers do.
    return Clip.objects.live_for(Purpose.VOLUNTEERS).filter(for_all | for_researchers)


def waiting_for(checker: User, now: datetime) -> QuerySet[Clip]:
    """The clips that this person may check now, those with the most signs of something private first."""
    current = PrivacyCheck.objects.current().filter(clip=OuterRef("pk"))
    own = (
        current.done().filter(checker=checker),
        Report.objects.filter(reporter=checker, clip=OuterRef("pk")),
        Decision.objects.filter(reviewer=checker, clip=OuterRef("pk")),
    )
    is_decided = Exists(current.exclude(answer__in=("", Answer.NO)))  # by a reviewer, sooner or later
    waiting = may_be_released().filter(~is_decided, *(~Exists(rows) for rows in own), cleared_at=None)
    free = waiting.exclude(contributor=checker).filter(_has_place_for(checker, now))
    return free.order_by(F("private_signs").desc(nulls_last=True), "pk")


def _has_place_for(checker: User, now: datetime) -> LessThan:
    """A condition on a clip: fewer others than are needed checked it or are checking it."""
    others = PrivacyCheck.objects.current().filter(clip=OuterRef("pk")).exclude(checker=checker)
    taken = others.filter(Q(done_at__isnull=False) | Q(lent_until__gt=now)).order_by().values("clip")
    return LessThan(Coalesce(Subquery(taken.annotate(number=Count("pk")).values("number")), 0), CHECKERS)


def _lend_next_clip(checker: User, now: datetime) -> PrivacyCheck | None:
    free = waiting_for(checker, now).select_for_update(skip_locked=True, no_key=True, of=("self",))
    clip = free.first()
    known = known_positives.due(checker, clip.language) if clip else None
    if known:
        return PrivacyCheck.objects.create(known=known, checker=checker, lent_until=now + LEASE)
    return lend(clip, checker, now) if clip else None


@transaction.atomic
def lend(clip: Clip, checker: User, now: datetime) -> PrivacyCheck | None:
    """Lend this clip to this person; None if they may not check it, or not any more."""
    Clip.objects.select_for_update(no_key=True).filter(pk=clip.pk).first()
    # Another person may have got the last place since the clip was chosen.
    if not waiting_for(checker, now).filter(pk=clip.pk).exists():
        return None
    check, _is_new = PrivacyCheck.objects.current().update_or_create(
        clip=clip, checker=checker, defaults={"lent_until": now + LEASE, "sound_at": None}
    )
    return check


def playable(checker: User, now: datetime) -> QuerySet[PrivacyCheck]:
    """The checks whose sound this person may hear: those lent to them, until they answered."""
    lent = checker.privacy_checks.current().filter(done_at=None, lent_until__gt=now)
    return lent.filter(Q(clip=None) | Q(clip__in=may_be_released()))


def sound_of(check: PrivacyCheck) -> bytes:
    """The WAV, as volunteers hear the clip. Raises accounts.keys.KeyLost."""
    return hearing.for_volunteers(check.clip) if check.clip else bytes(check.known.sound)  # type: ignore[union-attr]


def told_of(clip: Clip) -> list[PrivacyCheck]:
    """What privacy reviewers heard in the clip as it is now, for the reviewer who decides."""
    told = clip.privacy_checks.current().done().exclude(answer=Answer.NO)
    return list(told.order_by("done_at", "pk"))


def hear(check: PrivacyCheck, now: datetime) -> None:
    """Remember that the sound was asked for, and record it in the audit record."""
    PrivacyCheck.objects.filter(pk=check.pk, sound_at=None).update(sound_at=now)
    if check.checker:
        audit.record_hearing(f"check {check.pk}", check.checker, now)


@transaction.atomic
def answer(
    check: PrivacyCheck,
    given: str,
    now: datetime,
    *,
    parts: Sequence[Part] = (),
    found: Collection[str] = (),
    heard: float | None = None,
) -> PrivacyCheck:
    """Store the answer to a check; the second 'no' clears the clip, anything else goes to a reviewer.

    `heard`: how many seconds of it sounded, if the page knows. The same answer again is no error.
    Raises CheckRefused.
    """
    clip, check = _lock(check)
    said = {"answer": given, "found": sorted(set(found)), "parts": [list(part) for part in parts]}
    if check.done_at is not None:
        if any(getattr(check, name) != value for name, value in said.items()):
            raise CheckRefused(CheckRefusal.ALREADY_ANSWERED)
        return check
    _must_be_open(check, now)
    _must_be_whole(check, heard, now)
    _validate(check, given, parts, found)
    for name, value in said.items():
        setattr(check, name, value)
    check.heard, check.done_at = _elapsed(check, now) if heard is None else heard, now
    check.save()
    audit.record(audit.Act.CHECKED, f"check {check.pk}", check.checker, now)
    if clip:
        _settle(clip, check, now)
    return check


def count_done_today(checker: User, now: datetime) -> int:
    return checker.privacy_checks.done().filter(done_at__date=timezone.localtime(now).date()).count()


def put_back(check: PrivacyCheck) -> None:
    """Somebody else may have it. No error if it was answered."""
    PrivacyCheck.objects.filter(pk=check.pk, done_at=None).delete()


def _lock(check: PrivacyCheck) -> tuple[Clip | None, PrivacyCheck]:
    """The clip, if it is one, and the check as it is once both are locked, in the order of the site."""
    clip = Clip.objects.select_for_update(no_key=True).filter(privacy_checks=check).first()
    locked = PrivacyCheck.objects.select_for_update(of=("self",), no_key=True).filter(pk=check.pk)
    current = locked.select_related("known", "checker").first()
    if current is None or current.voided_at is not None:  # silenced or reported meanwhile
        raise CheckRefused(CheckRefusal.TOO_LATE)
    return clip, current


def _must_be_open(check: PrivacyCheck, now: datetime) -> None:
    """Its clip may still be heard, and nobody else has the place of a late answer."""
    if check.clip_id is None or check.checker is None:
        return
    clip = may_be_released().filter(pk=check.clip_id)
    if check.lent_until <= now:
        clip = clip.filter(_has_place_for(check.checker, now))
    if not clip.exists():
        raise CheckRefused(CheckRefusal.TOO_LATE)


def _must_be_whole(check: PrivacyCheck, heard: float | None, now: datetime) -> None:
    """As far as a site can know: the sound was asked for long enough ago, and the page counted all of it."""
    least = check.seconds - END_TOLERANCE
    is_long_ago = check.sound_at is not None and _elapsed(check, now) >= least / FASTEST
    if not is_long_ago or (heard is not None and not heard >= least):  # false for NaN, too
        raise CheckRefused(CheckRefusal.NOT_HEARD_WHOLE)


def _elapsed(check: PrivacyCheck, now: datetime) -> float:
    return (now - check.sound_at).total_seconds() if check.sound_at else 0.0


def _validate(check: PrivacyCheck, given: str, parts: Sequence[Part], found: Collection[str]) -> None:
    if given not in Answer.values:
        raise CheckRefused(CheckRefusal.NOT_AN_ANSWER, answers=", ".join(Answer.values))
    if given == Answer.NO and (found or parts):  # a slip of the key, maybe
        raise CheckRefused(CheckRefusal.CONTRADICTS_MARKS)
    if not set(found) <= set(PrivacyCheck.Found.values) or (given == Answer.YES and not found):
        raise CheckRefused(CheckRefusal.NOTHING_NAMED)
    if given == Answer.YES and not parts:
        raise CheckRefused(CheckRefusal.NOTHING_MARKED)
    are_within = all(0 <= start < end <= check.seconds + END_TOLERANCE for start, end in parts)
    if not are_within or len(parts) > MOST_PARTS:
        raise CheckRefused(CheckRefusal.NOT_A_PART, seconds=check.seconds)


def _settle(clip: Clip, check: PrivacyCheck, now: datetime) -> None:
    """Clear the clip if enough people agree, or ask a reviewer. Its row is locked."""
    if check.answer != Answer.NO:
        reason = ReviewItem.Reason.FOUND if check.answer == Answer.YES else ReviewItem.Reason.UNSURE
        ReviewItem.objects.open_check(clip, _campaign(clip), reason, now)
        Clip.objects.filter(pk=clip.pk).update(cleared_at=None)
        return
    given = list(clip.privacy_checks.current().done().values_list("answer", flat=True))
    if len(given) >= CHECKERS and set(given) == {Answer.NO}:
        Clip.objects.filter(pk=clip.pk).update(cleared_at=now)


def _campaign(clip: Clip) -> Campaign:
    """The one under which the clip was settled first."""
    settled = clip.tasks.filter(status=Task.Status.SETTLED).select_related("campaign")
    return settled.order_by("settled_at", "pk")[0].campaign
