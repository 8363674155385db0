"""Freeze settled tasks into a Release: what it takes, under which ids, licence and split."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, Sum

from accounts import audit
from accounts.consent import live_for
from accounts.models import Purpose, User
from accounts.refusals import Refusal
from datasets.models import Campaign, Clip, Release, ReleaseRow, Task, Webhook, is_cleared_for
from datasets.webhooks import outbox

from . import budget, contents, figures, frozen, groups, lines, pinning, samples, single_votes, versions
from .sentences import Sentences

BATCH_SIZE = 2_000
NO, YES = ReleaseRow.Synthesis.NO, ReleaseRow.Synthesis.YES


class ReleaseRefusal(StrEnum):
    BAD_NAME = "bad-name"  # slug
    NAME_TAKEN = "name-taken"  # slug
    BAD_CONFIDENCE = "bad-confidence"  # found
    BAD_CONTRIBUTORS = "bad-contributors"  # found
    TOO_FEW_CONTRIBUTORS = "too-few-contributors"  # found, least
    TOO_FEW_CLEARED = "too-few-cleared"  # found, least, not_cleared


class BadRelease(Refusal):
    """The release cannot be made as asked for; nothing was frozen. Its code is a ReleaseRefusal."""


@dataclass(frozen=True)
class Wish:
    """What a release is asked to be.

    `licence` is an SPDX identifier, or None: the licence that the licences of its clips allow, if there is
    one. `after` is the version before it, whose line it continues; `version` its number, None for the next
    one. Contributors to the campaigns `test_only` are in the test split, if they are in none yet. With
    `sentences_apart` no transcript is in two splits, which leaves clips out. `disguised`: its voices are.
    With `single_votes` its archives list the answers of volunteers who agreed to that, one by one.
    """

    min_confidence: float = 0.0
    min_contributors: int = 1
    audience: Purpose = Purpose.RESEARCHERS
    licence: str | None = None
    after: Release | None = None
    version: str | None = None
    notes: str = ""
    test_only: Collection[Campaign] = ()
    sentences_apart: bool = False
    disguised: bool = False
    single_votes: bool = False


@dataclass(frozen=True)
class Selection:
    """The tasks that a release would take, and how many are left out, each for its first reason."""

    taken: QuerySet[Task]
    unsettled: int
    unsure: int
    without_consent: int
    not_cleared: int


def select(campaigns: Sequence[Campaign], min_confidence: float, audience: Purpose) -> Selection:
    """A task that a reviewer decided is taken at any confidence."""
    tasks = Task.objects.filter(campaign__in=campaigns)
    # A dirty task will be settled again, maybe with another answer, so it waits for the next release.
    settled = tasks.filter(status=Task.Status.SETTLED, dirty_since=None)
    sure = settled.filter(Q(confidence__gte=min_confidence) | Q(adjudicated=True))
    agreed = sure.live_for(audience)
    taken = agreed.filter(is_cleared_for(audience))
    counts = [each.count() for each in (tasks, settled, sure, agreed, taken)]
    return Selection(taken, *(more - fewer for more, fewer in pairwise(counts)))


@dataclass(frozen=True)
class FreezeResult:
    """The release, and how many tasks were taken and left out, by reason.

    `shares` is each split's share of the seconds, `coarsened` the columns that tell less than they could.
    """

    release: Release
    rows: int
    contributors: int
    unsettled: int
    unsure: int
    without_consent: int
    not_cleared: int
    not_reserved: int = 0
    shared_sentences: int = 0
    shares: Mapping[str, float] = field(default_factory=dict)
    coarsened: Sequence[str] = ()
    single_votes: int = 0


@transaction.atomic
def freeze(
    slug: str,
    campaigns: Sequence[Campaign],
    now: datetime,
    *,
    clearing: Mapping[str, Any] | None = None,
    by: User | None = None,
    **wished: Any,
) -> FreezeResult:
    """Pin the settled tasks of these campaigns under ids that are random for this release.

    A task that a reviewer decided is taken at any confidence. A public release has only clips that privacy
    reviewers cleared; `clearing` is what its card says of that. For `wished` see Wish. Raises BadRelease,
    BadVersion, BadLicence and TellsApart, and then nothing is stored.
    """
    wish = Wish(**wished)
    _validate(slug, wish)
    _wait_for_silencing()
    found = select(campaigns, wish.min_confidence, wish.audience)
    not_cleared = found.not_cleared
    seconds = dict(
        found.taken.order_by().values_list("clip__contributor").annotate(seconds=Sum("clip__seconds"))
    )
    _check_contributors(len(seconds), wish.min_contributors, not_cleared)
    release = _begin(slug, campaigns, found.taken, wish, now)
    split = lines.draw(release.line, seconds, _contributors_of(found.taken, wish.test_only))
    pinned = _pin(release, found.taken, campaigns, split)
    changed = _leave_out_changed(release)
    not_reserved = _leave_out_unreserved(release, wish.test_only)
    shared = _leave_out_shared_sentences(release) if wish.sentences_apart else 0
    contributors = _count_contributors(release)
    _check_contributors(contributors, wish.min_contributors, not_cleared + changed)
    coarsened = groups.coarsen(release)
    left_out = {
        "unsettled": found.unsettled,
        "unsure": found.unsure,
        "without_consent": found.without_consent,
        "not_cleared": not_cleared + changed,
        "not_reserved": not_reserved,
        "shared_sentences": shared,
    }
    votes = single_votes.pin(release) if wish.single_votes else {}
    _write_down(release, left_out, coarsened, votes, clearing or {}, now)
    for campaign in campaigns:
        outbox.owe(Webhook.Event.RELEASE_MADE, campaign, now, release=release.slug)
    audit.record(audit.Act.RELEASED, f"release {release.slug}", by, now)
    return FreezeResult(
        release,
        rows=pinned - changed - not_reserved - shared,
        contributors=contributors,
        shares={split: each["share"] for split, each in release.figures["splits"].items()},
        coarsened=coarsened,
        single_votes=votes.get("votes", 0),
        **left_out,
    )


def _begin(
    slug: str, campaigns: Sequence[Campaign], taken: QuerySet[Task], wish: Wish, now: datetime
) -> Release:
    """The release without rows."""
    release = Release.objects.create(
        slug=slug,
        line=versions.line_of(wish.after, now),
        previous=wish.after,
        version=versions.number(wish.version, wish.after),
        notes=wish.notes,
        min_confidence=wish.min_confidence,
        min_contributors=wish.min_contributors,
        audience=wish.audience,
        licence=pinning.licence_of(taken, wish.licence),
        published_at=now,
        is_disguised=wish.disguised,
        has_single_votes=wish.single_votes,
        site=settings.SITE_URL,
        contact=settings.CONTACT,
    )
    release.campaigns.set(campaigns)
    return release


def _write_down(
    release: Release,
    left_out: Mapping[str, int],
    coarsened: Sequence[str],
    votes: Mapping[str, Any],
    clearing: Mapping[str, Any],
    now: datetime,
) -> None:
    """What can be counted once its rows are those that stay."""
    release.clearing = dict(clearing) | {"not_cleared": left_out["not_cleared"]}
    release.sources = pinning.sources(release)
    release.changes = versions.changes(release)
    release.samples = samples.choose(release)
    counted = figures.count(release)
    release.figures = counted | {
        "left_out": left_out,
        "coarsened": coarsened,
        "single_votes": votes,
        "least_group": groups.least(release),
        "people": budget.people(counted, now),
    }
    release.save(update_fields=["clearing", "sources", "changes", "samples", "figures"])
    contents.keep(release)


def _check_contributors(found: int, least: int, not_cleared: int) -> None:
    least = max(least, 1)
    if found < least and not_cleared:
        raise BadRelease(ReleaseRefusal.TOO_FEW_CLEARED, found=found, least=least, not_cleared=not_cleared)
    if found < least:
        raise BadRelease(ReleaseRefusal.TOO_FEW_CONTRIBUTORS, found=found, least=least)


def _count_contributors(release: Release) -> int:
    return release.rows.aggregate(found=Count("speaker", distinct=True))["found"] or 0


def _contributors_of(taken: QuerySet[Task], campaigns: Collection[Campaign]) -> set[int]:
    of = taken.filter(campaign__in=campaigns).order_by()
    return set(of.values_list("clip__contributor", flat=True).distinct())


def _leave_out_unreserved(release: Release, test_only: Collection[Campaign]) -> int:
    """Clips of a reserved campaign whose speakers were drawn for another split before."""
    if not test_only:
        return 0
    return release.rows.filter(task__campaign__in=test_only).exclude(split="test").delete()[0]


def _leave_out_shared_sentences(release: Release) -> int:
    """Clips of sentences that are in another split as well; test keeps all of its clips, then dev."""
    found = Sentences()
    for row in frozen.rows(release):
        found.add(row.text, row.split, row.id)
    out = 0
    for ids in found.elsewhere(BATCH_SIZE):
        out += release.rows.filter(public_id__in=ids).delete()[0]
    return out


def _leave_out_changed(release: Release) -> int:
    """Take out again what is not cleared any more, or is being changed at this moment; returns how many.

    Pinning takes a while, and clips are reported meanwhile. These are locked until the release is committed:
    a later report finds it made. One that is in somebody's hands is not waited for.
    """
    audience, out = Purpose(release.audience), 0
    must_be_cleared = Q() if audience == Purpose.PUBLIC else Q(task__campaign__needs_clearing=True)
    rows = release.rows.filter(must_be_cleared)
    clips = list(rows.order_by("task__clip").values_list("task__clip", flat=True).distinct())
    for start in range(0, len(clips), BATCH_SIZE):
        batch = Clip.objects.filter(pk__in=clips[start : start + BATCH_SIZE]).order_by("pk")
        locked = list(batch.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
        # Asked once they are locked, so that it sees what was committed until then.
        still = Task.objects.live_for(audience).filter(is_cleared_for(audience), clip__in=locked)
        out += rows.filter(task__clip__in=batch).exclude(task__in=still).delete()[0]
    return out


def _pin(
    release: Release, taken: QuerySet[Task], campaigns: Sequence[Campaign], split: Mapping[int, str]
) -> int:
    speakers = {contributor: secrets.token_hex(8) for contributor in split}
    facts = pinning.Facts(release, campaigns, taken)
    before = versions.Before(release.previous)
    count, batch = 0, list[ReleaseRow]()
    # Speakers whose first clip was settled after speakers were counted wait for the next release.
    known = taken.filter(clip__contributor__in=list(speakers)).annotate(
        for_synthesis=live_for("clip__contributor", "clip__material", Purpose.SYNTHESIS)
    )
    tasks = known.select_related("campaign", "clip__contributor__data_key")
    for task in tasks.iterator(chunk_size=BATCH_SIZE):
        contributor = task.clip.contributor_id
        batch.append(_row(facts, task, speakers[contributor], split[contributor]))
        if len(batch) == BATCH_SIZE:
            count, batch = count + _store(batch, before), []
    count += _store(batch, before)
    facts.save()
    return count


def _store(batch: list[ReleaseRow], before: "versions.Before") -> int:
    before.mark(batch)
    return len(ReleaseRow.objects.bulk_create(batch))


def _row(facts: "pinning.Facts", task: Task, speaker: str, split: str) -> ReleaseRow:
    return ReleaseRow(  # type: ignore[misc]
        release=facts.release,
        task=task,
        public_id=secrets.token_hex(8),
        speaker=speaker,
        split=split,
        answer=task.answer or "",
        confidence=task.confidence or 0.0,
        soft=task.soft | {"adjudicated": task.adjudicated},
        votes=task.annotation_count,
        subset=facts.subset(task),
        asked=facts.asked(task),
        licence=facts.licence(task.clip),
        source=task.clip.source,
        voice=task.clip.voice,
        snr=task.clip.snr,
        clipping=task.clip.clipping,
        speech_share=round(task.clip.speech_share, 2),
        synthesis=YES if task.for_synthesis else NO,  # type: ignore[attr-defined]
    )


# See accounts.models for the other advisory locks.
FREEZE_LOCK = 7_306


def is_freezing() -> bool:
    """Whether a release is being made. If not, none begins until this transaction ends.

    A release in the making holds words under a clip's key that only it can see. So while one is made, no
    clip's key may be replaced.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOT pg_try_advisory_xact_lock_shared(%s)", [FREEZE_LOCK])
        return bool(cursor.fetchone()[0])


def _wait_for_silencing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FREEZE_LOCK])


def _validate(slug: str, wish: Wish) -> None:
    try:
        Release._meta.get_field("slug").clean(slug, None)
    except ValidationError:
        raise BadRelease(ReleaseRefusal.BAD_NAME, slug=slug) from None
    if not 0 <= wish.min_confidence <= 1:
        raise BadRelease(ReleaseRefusal.BAD_CONFIDENCE, found=wish.min_confidence)
    if wish.min_contributors < 1:
        raise BadRelease(ReleaseRefusal.BAD_CONTRIBUTORS, found=wish.min_contributors)
    if Release.objects.filter(slug=slug).exists():
        raise BadRelease(ReleaseRefusal.NAME_TAKEN, slug=slug)
