"""Create a campaign, set its sentences to read, and count its progress."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from .models import Campaign, Prompt, Task


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
def set_prompts(campaign: Campaign, lines: str) -> None:
    """Ask for exactly these sentences, one per line. Raises ValidationError, and changes nothing.

    Sentences that are on the list already keep the count of their readings.
    """
    wanted = list(clean_prompts(campaign.kind, lines))
    campaign.prompts.exclude(text__in=wanted).delete()
    new = [Prompt(campaign=campaign, text=text) for text in wanted]
    Prompt.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)


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


SETTLED = Q(tasks__status=Task.Status.SETTLED)
DISPUTED = Q(tasks__status=Task.Status.DISPUTED)


def with_progress(campaigns: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """Each with its `clips`, and of these the `settled` and the `disputed`, counted when the query runs."""
    return campaigns.annotate(
        clips=Count("tasks"),
        settled=Count("tasks", filter=SETTLED),
        disputed=Count("tasks", filter=DISPUTED),
    )
