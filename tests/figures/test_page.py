"""The owner's page of figures, its files and its API call: they say what was counted, and name no one."""

import csv
import io
import re
from datetime import timedelta

import pytest

from datasets.models import Campaign
from tagger.figures import counting, reading, rows
from tagger.models import AgreementFigure, CampaignFigures
from tests.conftest import NOW
from tests.figures import made
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


@pytest.fixture
def owned(juniper, olga):
    Campaign.objects.filter(pk=juniper.pk).update(owner=olga)
    juniper.refresh_from_db()
    return juniper


@pytest.fixture
def here(client, olga):
    client.force_login(olga)
    return client


def count(campaign):
    assert counting.count(campaign, lambda: NOW)


def words(client, page):
    text = re.sub(r"<[^>]*>", " ", client.get(page).content.decode())
    return " ".join(text.split())


def test_the_page_says_what_was_counted_and_when(here, owned):
    made.fill(owned, 200)
    count(owned)
    totals = CampaignFigures.objects.get().totals
    shown = words(here, "/campaigns/juniper/")
    assert f"Clips {totals['clips']} Settled {totals['settled']} (" in shown
    assert f"Volunteers {totals['volunteers']} Contributors {totals['contributors']}" in shown
    assert "Counted on 4 May 2026, 14:00 CEST." in shown
    controls = totals["controls"]
    assert f"Right: {controls['right']} of {controls['answered']} answers," in shown
    assert f"for every clip: {totals['saved']['spared']} (" in shown


def test_a_campaign_without_clips_and_one_that_was_not_counted_say_so(here, owned):
    assert "Being counted" in words(here, "/campaigns/juniper/")
    count(owned)
    assert "No clips yet" in words(here, "/campaigns/juniper/")


def test_where_nobody_answers_the_end_is_not_foreseeable(here, owned, add_tasks):
    add_tasks(owned, 3)
    count(owned)
    assert "Likely to be done not foreseeable" in words(here, "/campaigns/juniper/")


def test_each_figure_is_a_file_with_the_numbers_of_the_page(here, owned):
    made.fill(owned, 50)
    count(owned)
    figures = reading.of(owned)
    for name in rows.ALL:
        answer = here.get(f"/campaigns/juniper/figures/{name}.csv")
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["Content-Disposition"] == f'attachment; filename="juniper-{name}.csv"'
        found = list(csv.DictReader(io.StringIO(answer.content.decode())))
        expected = [
            {each: "" if value is None else str(value) for each, value in row.items()}
            for row in figures.table(name)
        ]
        assert found == expected, name
    assert here.get("/campaigns/juniper/figures/nothing.csv").status_code == 404


def test_a_file_has_every_day_and_the_page_the_newest(here, owned):
    made.fill(owned, 50)
    counting.count(owned, lambda: NOW + timedelta(days=50))
    days = [row["day"] for row in reading.of(owned).days()]
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
    newest = [row["day"] for row in reading.of(owned).days(60)]
    assert newest == days[-len(newest) :] and newest[-1] == (NOW + timedelta(days=50)).date()


def test_programs_get_the_same_numbers(here, owned):
    made.fill(owned, 50)
    count(owned)
    found = here.get("/api/v1/campaigns/juniper/figures/").json()
    totals = CampaignFigures.objects.get().totals
    assert found["summary"]["clips"] == totals["clips"]
    assert found["wanted"] == totals["wanted"] and found["controls"] == totals["controls"]
    assert {row["status"]: row["clips"] for row in found["statuses"]}["settled"] == totals["settled"]
    assert found["forecast"]["day"] == totals["forecast"]["day"]
    assert set(found) == {"campaign", "as_of", *rows.ALL}


def test_programs_are_told_that_nothing_was_counted_yet(here, owned):
    found = here.get("/api/v1/campaigns/juniper/figures/").json()
    assert found["as_of"] is None and found["summary"] is None and found["days"] == []


def test_a_campaign_of_transcripts_has_no_figures_of_labels(here, olga, sentences, add_tasks):
    Campaign.objects.filter(pk=sentences.pk).update(owner=olga)
    add_tasks(sentences, 2)
    count(sentences)
    found = here.get("/api/v1/campaigns/sentences/figures/").json()
    assert found["answers"] == found["confusion"] == []
    assert "Settled clips by answer" not in words(here, "/campaigns/sentences/")


def test_agreement_is_drawn_month_by_month(here, owned, add_tasks):
    add_tasks(owned, 3)
    count(owned)
    for month in (None, "2026-03-01", "2026-04-01"):
        AgreementFigure.objects.create(
            campaign=owned, month=month, measured_at=NOW, tasks=9, alpha=0.61, pairwise=0.83
        )
    assert "Mar 2026 0.83" in words(here, "/campaigns/juniper/")


@mutant(
    "figures are for the campaign's owner alone",
    "tagger/figures/views.py",
    kept_by="@owner_page\ndef table(request: PersonalRequest, campaign: Campaign, name: str)",
    broken="def table(request: PersonalRequest, slug: str, name: str, campaign: Campaign = None)",
)
@pytest.mark.parametrize(
    "page",
    ["/campaigns/juniper/", "/campaigns/juniper/figures/days.csv", "/api/v1/campaigns/juniper/figures/"],
)
def test_figures_are_for_the_owner_alone(page, here, juniper, bea):
    assert here.get(page).status_code == 404  # of nobody; an owner of others sees no difference
    here.force_login(bea)
    assert here.get(page).status_code == 403


@pytest.mark.parametrize(
    ("page", "statements"),
    [
        ("/campaigns/juniper/", 8),
        ("/campaigns/juniper/figures/days.csv", 6),
        ("/api/v1/campaigns/juniper/figures/", 8),
    ],
)
def test_pages_need_the_same_number_of_statements_with_more_clips(
    page, statements, here, owned, django_assert_num_queries
):
    for number in (10, 1000):
        made.fill(owned, number)
        count(owned)
        with django_assert_num_queries(statements):
            here.get(page)
