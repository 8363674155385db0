"""What is still to be done on a new site, for the people who run it."""

from typing import Any

from django import template
from django.utils import timezone

from accounts.models import User
from datasets.models import Campaign
from tagger.operators import steps, unset
from tagger.operators.steps import Step
from tagger.operators.unset import Unset

register = template.Library()


@register.simple_tag(takes_context=True)
def next_step(context: dict[str, Any]) -> Step | None:
    """The first step that is open, for an admin; None for everyone else, and once all are done."""
    person = context.get("user")
    if not isinstance(person, User) or not person.is_superuser or person.lacks_factor:
        return None
    request = context["request"]
    if not hasattr(request, "next_step"):
        request.next_step = steps.next_one(person)
    found: Step | None = request.next_step
    return found


@register.simple_tag
def nothing_began() -> bool:
    """Whether this site never had a campaign that anybody else could see."""
    return not Campaign.objects.public().exists()


@register.simple_tag
def what_is_unset() -> list[Unset]:
    return unset.everything(timezone.now())
