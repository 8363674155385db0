"""Which campaigns have a clip for a volunteer: what the list says is what lending finds."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from accounts import consent
from accounts.models import User
from datasets.models import Campaign, Clip, Task
from tagger.lending import assignments, candidates, waiting
from tagger.models import Assignment
from tests.conftest import NOW
from tests.lending.test_rules_agree import CLIPS, every, lend, make_tasks  # noqa: F401

pytestmark = pytest.mark.django_db
State, Role, Status = Assignment.State, Assignment.Role, Task.Status
LATER = NOW + settings.LEASE


@pytest.fixture
def task(juniper, share):
    return share(juniper)


def campaigns(number):
    """So many campaigns, every second of which asks for a track record."""
    return Campaign.objects.bulk_create(
        Campaign(
            slug=f"c{n}",
            title=f"c{n}",
            kind="wake-word",
            language="en",
            wake_word="hey",
            needs_track_record=n % 2,
        )
        for n in range(number)
    )


@pytest.mark.thorough
def test_a_campaign_waits_where_lending_would_find_a_clip(bea, make_tasks):  # noqa: F811
    rows = every(
        clip=[*CLIPS, "bea's own"],
        status=list(Status),
        places=[(1, 0, 2), (0, 2, 2), (2, 0, 3)],
        had=[None, State.DONE, State.SKIPPED, State.EXPIRED],
        awaits=[False, True],
    )
    for row, campaign in zip(rows, campaigns(len(rows)), strict=True):
        row.campaign = campaign
    make_tasks(rows)
    Task.objects.filter(pk__in=[row.task.pk for row in rows if row.awaits]).update(awaits_record=True)
    had = [row for row in rows if row.had]
    for row in had:
        row.state, row.role, row.expires_at = row.had, Role.VOTE, NOW
    lend(bea, had)
    found = waiting.campaigns(bea, NOW)
    assert 0 < len(found) < len(rows)
    wrong = [
        row for row in rows if (row.campaign.pk in found) != bool(candidates.find(bea, row.campaign, [], 1))
    ]
    assert wrong == []


def test_a_clip_that_is_lent_already_waits_as_long_as_it_may_be_heard(bea, juniper, task):
    [lent] = assignments.lend(bea, juniper, 1, NOW)
    assert waiting.campaigns(bea, NOW) == {juniper.pk}
    assert waiting.campaigns(bea, lent.expires_at + timedelta(seconds=1)) == set()  # it is not reclaimed yet
    consent.withdraw(task.clip.contributor, NOW)
    assert waiting.campaigns(bea, NOW) == set()


def test_contributors_over_the_cap_do_not_count(bea, juniper, add_tasks):
    add_tasks(juniper, 2)
    Campaign.objects.filter(pk=juniper.pk).update(contributor_cap=1)
    juniper.refresh_from_db()
    [lent] = assignments.lend(bea, juniper, 5, NOW)
    assert waiting.campaigns(bea, NOW) == {juniper.pk}
    assignments.hand_in(bea, lent.pk, "yes", NOW)
    assert waiting.campaigns(bea, NOW) == set()
    assert waiting.campaigns(bea, NOW + timedelta(days=2)) == {juniper.pk}


def test_a_closed_campaign_and_one_without_clips_do_not_wait(bea, juniper, sentences, task):
    Campaign.objects.filter(pk=juniper.pk).update(stage="closed")
    assert waiting.campaigns(bea, NOW) == set()


def test_no_more_of_a_campaign_is_read_than_the_bound_and_a_larger_one_counts_as_waiting(
    bea, juniper, add_tasks, monkeypatch
):
    monkeypatch.setattr(waiting, "MOST_LOOKED_AT", 3)
    answered = add_tasks(juniper, 3)
    Assignment.objects.bulk_create(
        Assignment(task=each, annotator=bea, state=State.DONE, lent_at=NOW, expires_at=NOW)
        for each in answered
    )
    assert waiting.campaigns(bea, NOW) == set()
    [last] = add_tasks(juniper, 1)
    Assignment.objects.create(task=last, annotator=bea, state=State.DONE, lent_at=NOW, expires_at=NOW)
    assert waiting.campaigns(bea, NOW) == {juniper.pk}


def test_the_index_that_lending_uses_is_read_from_its_end(bea, juniper, add_tasks):
    add_tasks(juniper, 400)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE datasets_task, datasets_clip, datasets_campaign")
    statement = ""

    def keep(execute, sql, params, many, context):
        nonlocal statement
        statement = context["cursor"].mogrify(sql, params).decode()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        assert waiting.campaigns(bea, NOW) == {juniper.pk}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan Backward using tasks_to_lend" in plan, plan
    assert "using one_assignment_per_annotator_and_role on tagger_assignment had " in plan, plan


def test_own_clips_do_not_wait(alice, juniper, task):
    assert User.objects.filter(pk=alice.pk, clips__in=Clip.objects.all()).exists()
    assert waiting.campaigns(alice, NOW) == set()
