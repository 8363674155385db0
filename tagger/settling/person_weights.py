"""How much a person's answers count in one campaign, where its owner changed that: decide it, recount by it.

No answer is taken away. Whatever was decided can be taken back, and the same answers then come to the same
labels, to the byte.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce

from accounts import audit, keys
from accounts.models import User
from datasets.models import Annotation, Campaign, Task
from tagger.models import PersonWeight

from . import queue

USUAL = 1.0
BATCH_SIZE = 500


def among(campaign: Campaign, people: Collection[int]) -> dict[int, float]:
    """The factors of those of these people who have another than 1."""
    changed = PersonWeight.objects.filter(campaign=campaign, person__in=people).exclude(factor=USUAL)
    return dict(changed.values_list("person", "factor"))


@transaction.atomic
def decide(
    campaign: Campaign, person: User, factor: float, note: str, by: User, now: datetime
) -> PersonWeight:
    """From now on this person's answers in this campaign count by this factor; a worker recounts the rest."""
    sealed = keys.seal(keys.data_key(person), note.encode(), _label(person.pk, campaign.pk)) if note else b""
    before = among(campaign, [person.pk]).get(person.pk, USUAL)
    weight, _is_new = PersonWeight.objects.update_or_create(
        campaign=campaign,
        person=person,
        defaults={
            "factor": factor,
            "sealed_note": sealed,
            "decided_by": by,
            "at": now,
            "is_new": True,
            "until_return": False,
        },
    )
    changed = {"campaign": campaign.slug, "changed": {"weight": [before, factor]}}
    audit.record(audit.Act.WEIGHED, f"person {person.pk}", by, now, changed)
    return weight


@transaction.atomic
def decide_until_return(
    campaign: Campaign, people: Collection[int], factor: float, by: User, now: datetime
) -> int:
    """The same for people who stopped answering, each until they answer again; returns for how many.

    What was decided about one of them alone stays.
    """
    alone = PersonWeight.objects.filter(campaign=campaign, person__in=people, until_return=False)
    some = sorted(set(people) - set(alone.values_list("person", flat=True)))
    before = among(campaign, some)
    changed = {str(who): [before.get(who, USUAL), factor] for who in some if before.get(who, USUAL) != factor}
    rows = [
        PersonWeight(
            campaign=campaign, person_id=int(who), factor=factor, decided_by=by, at=now, until_return=True
        )
        for who in changed
    ]
    PersonWeight.objects.bulk_create(
        rows,
        batch_size=BATCH_SIZE,
        update_conflicts=True,
        unique_fields=["person", "campaign"],
        update_fields=["factor", "decided_by", "at", "is_new", "until_return"],
    )
    _record_many(campaign, changed, by, now)
    return len(changed)


@transaction.atomic
def end_for_returned(campaign: Campaign, now: datetime) -> int:
    """Give those who answered again since it was decided their usual weight; returns how many."""
    answers = Annotation.objects.filter(
        annotator=OuterRef("person"), task__campaign=OuterRef("campaign"), created_at__gt=OuterRef("at")
    )
    returned = PersonWeight.objects.filter(Exists(answers), campaign=campaign, until_return=True)
    changed = {str(each.person_id): [each.factor, USUAL] for each in returned.exclude(factor=USUAL)}
    _record_many(campaign, changed, None, now)
    returned.exclude(factor=USUAL).update(factor=USUAL, at=now, is_new=True)
    return len(changed)


def _record_many(campaign: Campaign, changed: dict[str, list[float]], by: User | None, now: datetime) -> None:
    """`changed`: each person's number with the old and the new weight."""
    if changed:
        details = {"campaign": campaign.slug, "changed": {"weights": changed}}
        audit.record(audit.Act.WEIGHED, f"campaign {campaign.slug}", by, now, details)


def recount(now: datetime) -> int:
    """Mark what people answered whose weight was changed, to be settled again; returns how many tasks.

    It may be killed at any time, and begins again.
    """
    marked = 0
    for weight in PersonWeight.objects.filter(is_new=True).select_related("person").order_by("pk"):
        for tasks in _batches(weight):
            _mark(tasks, now)
            marked += len(tasks)
        with transaction.atomic():
            # If it was changed again meanwhile, it is still to be recounted.
            current = PersonWeight.objects.filter(pk=weight.pk, at=weight.at)
            current.filter(factor=USUAL).delete()
            current.update(is_new=False)
    if marked:
        queue.request_settlement()
    return marked


def _batches(weight: PersonWeight) -> Iterator[list[int]]:
    answered = weight.person.annotations.filter(task__campaign=weight.campaign_id)
    tasks = sorted(answered.values_list("task", flat=True))
    for start in range(0, len(tasks), BATCH_SIZE):
        yield tasks[start : start + BATCH_SIZE]


@transaction.atomic
def _mark(tasks: list[int], now: datetime) -> None:
    some = Task.objects.filter(pk__in=tasks)
    list(some.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    some.update(dirty_since=Coalesce("dirty_since", now))


def note_of(weight: PersonWeight) -> str:
    """Empty if there is none, or if the key of the person whom it is about is gone."""
    if not weight.sealed_note:
        return ""
    try:
        key = keys.existing_key(weight.person)
        label = _label(weight.person_id, weight.campaign_id)
        return keys.unseal(key, bytes(weight.sealed_note), label).decode()
    except keys.KeyLost:
        return ""


def reseal(person: User, old: bytes, new: bytes) -> None:
    """Seal the notes about this person under their new data key; one that the old key does not open goes."""
    for weight in person.person_weights.exclude(sealed_note=b""):
        label = _label(person.pk, weight.campaign_id)
        try:
            sealed = keys.seal(new, keys.unseal(old, bytes(weight.sealed_note), label), label)
        except keys.KeyLost:
            sealed = b""
        PersonWeight.objects.filter(pk=weight.pk).update(sealed_note=sealed)


def _label(person: int, campaign: int) -> str:
    return f"note on the weight of person {person} in campaign {campaign}"
