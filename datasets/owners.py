"""Who runs which campaign: the guard of an owner's pages and calls.

The pages of a campaign that is another's answer 404, as if it did not exist.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from accounts.models import Role, User
from accounts.roles import HasRole, PersonalRequest, View, owner_required

from .models import Campaign


def owned_by(person: User) -> QuerySet[Campaign]:
    """The campaigns that this person runs: an owner's own; all of them for those who run the site."""
    if not person.has_role(Role.OWNER):
        return Campaign.objects.none()
    return Campaign.objects.all() if person.is_superuser else Campaign.objects.filter(owner=person)


def runs(person: User, campaign: Campaign) -> bool:
    """Whether this campaign is still theirs, asked while they are away: a second factor is not asked for."""
    return person.was_given(Role.OWNER) and (person.is_superuser or campaign.owner_id == person.pk)


def owned_or_404(person: User, slug: str) -> Campaign:
    """Raises Http404 if there is no such campaign, and if it is another's."""
    return get_object_or_404(owned_by(person), slug=slug)


def owner_page(view: Callable[..., HttpResponse]) -> View:
    """For a page at an address with a `slug`: the view gets the campaign instead."""

    @wraps(view)
    def guarded(request: PersonalRequest, *args: Any, slug: str, **kwargs: Any) -> HttpResponse:
        return view(request, owned_or_404(request.user, slug), *args, **kwargs)

    return owner_required(guarded)


class IsOwner(HasRole):
    """For a call. Which campaign it may be about is for `owned_or_404` to say."""

    roles = (Role.OWNER,)
    message = "This call is for people with the role campaign owner."
