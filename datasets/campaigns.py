"""Create a campaign, change and clone it, open and close it, set its sentences to read, count its progress.

Whatever changes is recorded.
"""

import hashlib
import json
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.models import User

from .models import Campaign, Prompt, Task, Webhook
from .webhooks import outbox


@transaction.atomic
def create(*, prompts: str = "", **fields: Any) -> Campaign:
    """A new campaign; `prompts` holds the sentences to read, one per line.

    Raises ValidationError with the problems of each field, and stores nothing.
    """
    campaign = Campaign(**fields)
    campaign.full_clean()
    campaign.save()
    set_prompts(campaign, prompts)
    return campaign


@transaction.atomic
def make(fields: dict[str, Any], by: User, now: datetime) -> Campaign:
    """A campaign of this person's, as `create` makes it, which no volunteer sees until it is opened."""
    campaign = create(**fields, owner=by, stage=Campaign.Stage.DRAFT)
    record_change({}, campaign, by, now)
    return campaign


@transaction.atomic
def change(campaign: Campaign, fields: dict[str, Any], by: User | None, now: datetime) -> None:
    """Set these fields and, if they have `prompts`, its sentences to read; record old and new values.

    Raises ValidationError with the problems of each field, and changes nothing.
    """
    stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
    before = values(stored)
    prompts = fields.get("prompts")
    for name in fields.keys() - {"prompts"}:
        setattr(stored, name, fields[name])
    stored.full_clean()
    stored.save()
    if prompts is not None:
        set_prompts(stored, prompts)
    record_change(before, stored, by, now)
    campaign.refresh_from_db()


# From each stage, those that may follow.
Stage = Campaign.Stage
NEXT_STAGES: dict[str, tuple[Campaign.Stage, ...]] = {
    Stage.DRAFT: (Stage.OPEN, Stage.ARCHIVED),
    Stage.OPEN: (Stage.PAUSED, Stage.CLOSED),
    Stage.PAUSED: (Stage.OPEN, Stage.CLOSED),
    Stage.CLOSED: (Stage.OPEN, Stage.ARCHIVED),
    Stage.ARCHIVED: (Stage.CLOSED,),
}


@transaction.atomic
def move_to(campaign: Campaign, stage: str, by: User | None, now: datetime) -> None:
    """Open, pause, close, reopen or archive it. Raises ValidationError if that cannot follow its stage."""
    stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if stage == stored.stage:
        return  # pressed twice, or by two owners at once
    if stage not in NEXT_STAGES[stored.stage]:
        known = dict(Stage.choices)
        message = _("A campaign that is %(now)s cannot become %(then)s.")
        params = {"now": known[stored.stage], "then": known.get(stage, stage)}
        raise ValidationError(message, code="stage", params=params)
    before = values(stored)
    stored.stage = stage
    stored.save(update_fields=["stage"])
    record_change(before, stored, by, now)
    campaign.stage = stage


@transaction.atomic
def set_prompts(campaign: Campaign, lines: str) -> None:
    """Ask for exactly these sentences, one per line. Raises ValidationError, and changes nothing.

    Sentences that are on the list already keep the count of their readings.
    """
    wanted = list(clean_prompts(campaign.kind, lines))
    campaign.prompts.exclude(text__in=wanted).delete()
    new = [Prompt(campaign=campaign, text=text) for text in wanted]
    Prompt.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)


FREE_TEXTS = ("title", "purpose", "becomes", "run_by", "guidelines")


def values(campaign: Campaign) -> dict[str, Any]:
    """What its owner set, as the audit record keeps it, which forgets nothing.

    So of free text, in which people can be named, it has only the digest.
    """
    if campaign.pk is None:
        return {}
    found = {
        field.attname: field.value_from_object(campaign)
        for field in Campaign._meta.concrete_fields
        if not field.primary_key and field.editable
    }
    prompts = "\n".join(campaign.prompts.order_by("text").values_list("text", flat=True))
    texts = {name: _digest(getattr(campaign, name)) for name in FREE_TEXTS}
    translations = json.dumps(campaign.translations, sort_keys=True) if campaign.translations else ""
    return found | texts | {"translations": _digest(translations), "prompts": _digest(prompts)}


def record_change(before: dict[str, Any], campaign: Campaign, by: User | None, now: datetime) -> None:
    """Record which of its `values` are others than `before`; {} if it is new. Call it in the transaction."""
    after = values(campaign)
    changed = {name: [before.get(name), new] for name, new in after.items() if before.get(name) != new}
    if changed:
        outbox.owe(
            Webhook.Event.CAMPAIGN_CHANGED, campaign, now, stage=campaign.stage, changed=sorted(changed)
        )
        audit.record(audit.Act.CHANGED_CAMPAIGN, f"campaign {campaign.slug}", by, now, {"changed": changed})


def _digest(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "characters": len(text)}


def clean_prompts(kind: str, lines: str) -> dict[str, int]:
    """{sentence: the first line it is on}. Raises ValidationError for `prompts`."""
    wanted: dict[str, int] = {}
    for number, line in enumerate(lines.splitlines(), 1):
        if text := " ".join(line.split()):
            wanted.setdefault(text, number)
    if wanted and kind != Campaign.Kind.TRANSCRIPTION:
        message = _("Only transcription campaigns have sentences to read.")
        raise ValidationError({"prompts": ValidationError(message, code="not_transcription")})
    problems = [
        ValidationError(
            _("Line %(number)d: %(problem)s"), code="bad_line", params={"number": number, "problem": problem}
        )
        for text, number in wanted.items()
        for problem in _problems(text)
    ]
    if problems:
        raise ValidationError({"prompts": problems})
    return wanted


def _problems(text: str) -> list[str]:
    try:
        Prompt._meta.get_field("text").run_validators(text)
    except ValidationError as error:
        return error.messages
    return []


USABLE = ~Q(tasks__status=Task.Status.UNUSABLE)
SETTLED = Q(tasks__status=Task.Status.SETTLED)
DISPUTED = Q(tasks__status=Task.Status.DISPUTED)


def with_progress(campaigns: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """Each with its usable `clips`, and of these the `settled` and `disputed`, counted by the query."""
    return campaigns.annotate(
        clips=Count("tasks", filter=USABLE),
        settled=Count("tasks", filter=SETTLED),
        disputed=Count("tasks", filter=DISPUTED),
    )
