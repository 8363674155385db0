"""Each figure opens the clips behind it: as many as it says."""

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict
from django.utils import timezone

from datasets.models import Campaign
from tagger.explorer.filter_form import FilterForm
from tagger.figures import counting, page, reading
from tests.figures import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def owned(juniper, olga):
    Campaign.objects.filter(pk=juniper.pk).update(owner=olga)
    made.fill(juniper, 300)
    counting.count(juniper, timezone.now)  # as the explorer asks the database's clock
    juniper.refresh_from_db()
    return juniper


def found(campaign, link):
    """How many clips the explorer finds at this address."""
    form = FilterForm(QueryDict(urlsplit(link).query), campaign)
    assert form.is_valid(), form.errors
    return form.selection().tasks().count()


def test_a_figure_opens_as_many_clips_as_it_says(owned):
    drawn = page.drawn(reading.of(owned))
    for name in ("statuses", "answers", "lengths", "sources"):
        for (label, number), link in zip(drawn[name]["rows"], drawn[name]["links"], strict=True):
            assert found(owned, link) == number, (name, label)
    for name in ("confidence", "speech"):
        for number, link in zip(drawn[name]["counts"], drawn[name]["links"], strict=True):
            assert found(owned, link) == number, (name, link)
    for row, link in zip(
        reading.of(owned).many("largest_contributors"), drawn["largest"]["links"], strict=True
    ):
        assert found(owned, link) == row["clips"]


def test_settled_clips_by_votes_open_those_that_reviewers_settled_too(owned):
    drawn = page.drawn(reading.of(owned))
    for (_, number), link in zip(drawn["votes"]["rows"], drawn["votes"]["links"], strict=True):
        assert found(owned, link) >= number


def test_every_link_of_the_page_opens(client, owned, olga):
    client.force_login(olga)
    shown = client.get("/campaigns/juniper/").content.decode()
    links = {unescape(each) for each in re.findall(r'href="(/campaigns/juniper/[^"]*)"', shown)}
    assert len(links) > 60
    for each in links:
        assert client.get(each).status_code == 200, each
