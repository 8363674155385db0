"""What reviewers and privacy reviewers hear, for pages and programs. The audit record says who listened."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts import audit
from accounts.roles import PersonalRequest
from datasets.clips import byteranges, hearing
from datasets.models import Clip
from tagger.desk.api import ApiRequest
from tagger.models import ReviewItem

from . import clearing, near


def of_item(request: PersonalRequest | ApiRequest, item: ReviewItem) -> HttpResponse:
    """The item's clip, as volunteers hear it."""
    audit.record_hearing(f"clip {item.clip_id}", request.user, timezone.now())
    return byteranges.sound(request, hearing.for_volunteers(item.clip))


def near_item(request: PersonalRequest | ApiRequest, item: ReviewItem, clip: int) -> HttpResponse:
    """Another clip of the item's speaker, as volunteers hear it; 404 if it is not near or not heard."""
    try:
        found = near.find(item, clip)
    except Clip.DoesNotExist:
        raise Http404 from None
    audit.record_hearing(f"clip {found.pk}", request.user, timezone.now())
    return byteranges.sound(request, hearing.for_volunteers(found))


def of_check(request: PersonalRequest | ApiRequest, pk: int) -> HttpResponse:
    """What is checked, while it is lent to this person; otherwise 404."""
    now = timezone.now()
    check = get_object_or_404(clearing.playable(request.user, now), pk=pk)
    clearing.hear(check, now)
    return byteranges.sound(request, clearing.sound_of(check))
