"""Open items of the review queue, for tests that begin there."""

from contextlib import contextmanager

import pytest
from django.urls import reverse

from accounts.models import Role
from accounts.refusals import in_words
from datasets.models import Task
from tagger.models import ReviewItem
from tagger.review import acts
from tagger.review.refusals import ReviewRefused
from tagger.review.wording import WORDS
from tests.support.factors import give_factor

Reason = ReviewItem.Reason


def dispute_over(task, now):
    """A dispute over this task, as settling opens it."""
    task = Task.objects.select_related("campaign").get(pk=task.pk)
    ReviewItem.objects.open_disputes([task], Reason.NO_AGREEMENT, now)
    return ReviewItem.objects.open().get(task=task)


def as_reviewers(*people):
    """The same people, each with the role of a reviewer and a second factor."""
    for person in people:
        give_factor(person).roles = [*person.roles, Role.REVIEWER]
        person.save(update_fields=["roles"])
    return people


def item_of(clip):
    """The clip's open item."""
    return ReviewItem.objects.open().get(clip=clip)


def dismiss(clip, reviewer, now):
    """The reviewer dismisses all reports of the clip."""
    acts.dismiss(item_of(clip), reviewer, now)


def page_of(item):
    return reverse("review_item", args=[item.pk])


def act_on(item, act):
    """The address to which the form of this act is sent."""
    return reverse(f"review_{act}", args=[item.pk])


@contextmanager
def review_refused(code, **parameters):
    """The block must be refused with this code and these parameters, for which there is a sentence."""
    with pytest.raises(ReviewRefused) as raised:
        yield
    assert (raised.value.code, raised.value.parameters) == (code, parameters)
    assert in_words(raised.value, WORDS)
