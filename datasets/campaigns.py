"""Create a campaign, set its sentences to read, and count its progress."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from .models import Campaign, Prompt, Task


class BadCampaign(ValueError):
    """The campaign cannot be as asked for; each line of the message names a field and what is wrong."""


@transaction.atomic
def create(*, prompts: str = "", **fields: Any) -> Campaign:
    """A new campaign; `prompts` holds the sentences to read, one a line. Raises BadCampaign."""
    campaign = Campaign(**fields)
    try:
        campaign.full_clean()
        campaign.save()
        set_prompts(campaign, prompts)
    except ValidationError as error:
        raise BadCampaign(
            "\n".join(
                f"{field.replace('_', '-')}: {' '.join(messages)}"
                if field != "__all__"
                else " ".join(messages)
                for field, messages in error.message_dict.items()
            )
        ) from error
    return campaign


@transaction.atomic
def set_prompts(campaign: Campaign, lines: str) -> None:
    """Ask for these sentences, one a line, and for no other. Raises ValidationError, and changes nothing.

    What is on the list already keeps the count of its readings.
    """
    wanted = list(clean_prompts(campaign.kind, lines))
    campaign.prompts.exclude(text__in=wanted).delete()
    new = [Prompt(campaign=campaign, text=text) for text in wanted]
    Prompt.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)


def clean_prompts(kind: str, lines: str) -> dict[str, int]:
    """Each sentence once, with the line where it stands first. Raises ValidationError for `prompts`."""
    wanted: dict[str, int] = {}
    for number, line in enumerate(lines.splitlines(), 1):
        if text := " ".join(line.split()):
            wanted.setdefault(text, number)
    if wanted and kind != Campaign.Kind.TRANSCRIPTION:
        raise ValidationError({"prompts": _("Only a transcription campaign has sentences to read.")})
    problems = [
        _("Line %(number)d: %(problem)s") % {"number": number, "problem": problem}
        for text, number in wanted.items()
        for problem in _wrong(text)
    ]
    if problems:
        raise ValidationError({"prompts": problems})
    return wanted


def _wrong(text: str) -> list[str]:
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
