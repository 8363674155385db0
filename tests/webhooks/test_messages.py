"""What messages say of what happens in a campaign, and that they say nothing of anyone."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import resolve

from accounts import consent
from accounts.models import Material, Purpose
from datasets import campaigns
from datasets.imports import ending
from datasets.models import Annotation, Campaign, Delivery, Release, Task, Webhook
from datasets.releases import recalls, retraction
from datasets.webhooks import keeping, messages
from tagger.campaigns import release_orders
from tagger.models import ReviewItem
from tagger.webhooks import counts
from tests.conftest import NOW
from tests.imports.conftest import bring, run_to_the_end, sound  # noqa: F401
from tests.imports.conftest import start as start_import
from tests.support.mutants import mutant
from tests.support.released import clear, settle

from .conftest import ALL

Event = Webhook.Event
HOUR = timedelta(hours=1)
# Everything that people write about a campaign, a collection and a release.
WRITTEN = {
    "title": "Quittengelb",
    "purpose": "For Zinnoberrot",
    "becomes": "A set of Lapislazuli",
    "run_by": "Ada Kobaltblau",
    "guidelines": "Ask Umbra",
}
CANARIES = ("Quittengelb", "Zinnober", "Lapis", "Kobalt", "Umbra", "Zwölf", "olga", "alice", "bea", "Ordner")
ASKED = {"slug": "spring", "min_confidence": 0.5, "min_contributors": 1, "licence": "CC-BY-4.0"}


def said(event):
    """The data of the messages of this kind that are owed, without their links."""
    found = [json.loads(each.body)["data"] for each in Delivery.objects.filter(event=event)]
    return [{name: value for name, value in each.items() if name != "links"} for each in found]


def test_a_change_says_which_settings_and_not_what_they_are(hook, hers, olga):
    campaigns.change(hers, WRITTEN | {"must_hear": 0.5}, olga, NOW)
    changed = ["becomes", "guidelines", "must_hear", "purpose", "run_by", "title"]
    assert said(Event.CAMPAIGN_CHANGED) == [{"campaign": "juniper", "stage": "open", "changed": changed}]
    campaigns.change(hers, WRITTEN, olga, NOW)
    assert Delivery.objects.count() == 1


def test_an_import_says_how_it_ended(hook, bring):  # noqa: F811
    run = bring({"a.wav": sound(1), "b.wav": sound(2), "c.wav": b"nothing"})
    start_import(run)
    told = {"campaign": "juniper", "import": run.pk, "added": 2, "held": 0, "refused": 1}
    assert said(Event.IMPORT_FINISHED) == [told]


def test_an_import_that_was_cancelled_is_not_finished(hook, bring):  # noqa: F811
    run = bring({"a.wav": sound(1)})
    ending.cancel(run, NOW)
    run_to_the_end(run)
    assert not Delivery.objects.exists()


def publish_release(campaign, olga, audience=Purpose.RESEARCHERS):
    release_orders.ask(campaign, ASKED | {"audience": audience}, olga, NOW)
    assert release_orders.make_all(lambda: NOW) == 1
    return Release.objects.get()


def test_a_release_says_that_it_was_made_retracted_and_recalled(hook, hers, olga, share, alice):
    for _ in range(2):
        settle(share(hers))
    clear(hers)
    release = publish_release(hers, olga)
    of_it = [{"campaign": "juniper", "release": "spring"}]
    assert said(Event.RELEASE_MADE) == of_it
    recalls.publish(NOW + timedelta(days=1))
    assert said(Event.CLIPS_RECALLED) == []  # nothing new is in the feed
    consent.withdraw(alice, NOW + timedelta(days=1), material=Material.WAKE_WORD, purpose=Purpose.RESEARCHERS)
    assert said(Event.CLIPS_RECALLED) == []  # at what hour somebody left, only they know
    for _ in range(2):
        recalls.publish(NOW + timedelta(days=2))
    assert said(Event.CLIPS_RECALLED) == of_it
    retraction.retract(release, "Zinnoberrot was in it", olga, NOW)
    retraction.retract(release, "Zinnoberrot was in it", olga, NOW)
    assert said(Event.RELEASE_RETRACTED) == of_it


def settle_at(task, at):
    settle(task)
    Task.objects.filter(pk=task.pk).update(settled_at=at)


def dispute_at(task, at):
    Task.objects.filter(pk=task.pk).update(status=Task.Status.DISPUTED)
    task.campaign = Campaign.objects.get(pk=task.campaign_id)
    ReviewItem.objects.open_disputes([task], ReviewItem.Reason.NO_AGREEMENT, at)


@mutant(
    "nobody sees by messages when a single volunteer is at work",
    "tagger/webhooks/counts.py",
    kept_by="    until = start_of_quarter(now - LATE)\n",
    broken="    until = now\n",
)
def test_counts_are_of_whole_quarters_of_an_hour(hook, hers, share):
    tasks = [share(hers) for _ in range(5)]
    settle_at(tasks[0], NOW + timedelta(minutes=1))
    settle_at(tasks[1], NOW + timedelta(minutes=14, seconds=59))
    settle_at(tasks[2], NOW + timedelta(minutes=15))
    dispute_at(tasks[3], NOW + timedelta(minutes=2))
    for minutes in (2, 5, 15, 15.9):
        counts.tell(NOW + timedelta(minutes=minutes))
    assert not Delivery.objects.exists()
    for _ in range(3):
        counts.tell(NOW + timedelta(minutes=16))
    assert said(Event.CAMPAIGN_SETTLED) == [{"campaign": "juniper", "settled": 2}]
    assert said(Event.DISPUTE_OPENED) == [{"campaign": "juniper", "disputed": 1}]
    assert {each.happened_at for each in Delivery.objects.all()} == {NOW + timedelta(minutes=15)}
    for hour in range(1, 4):
        counts.tell(NOW + hour * HOUR)
    assert [each["settled"] for each in said(Event.CAMPAIGN_SETTLED)] == [2, 1]
    assert len(said(Event.DISPUTE_OPENED)) == 1


def test_what_is_not_wanted_and_what_happened_before_is_not_counted(hook, hers, olga, share, receiver):
    settle_at(share(hers), NOW - timedelta(minutes=1))
    keeping.change(hook, receiver.url, [Event.DISPUTE_OPENED], olga, NOW)
    settle_at(share(hers), NOW + timedelta(minutes=1))
    counts.tell(NOW + HOUR)
    assert not Delivery.objects.exists()
    keeping.change(hook, receiver.url, ALL, olga, NOW + HOUR)
    settle_at(share(hers), NOW + HOUR)
    counts.tell(NOW + 2 * HOUR)
    assert said(Event.CAMPAIGN_SETTLED) == [{"campaign": "juniper", "settled": 1}]


def test_without_a_webhook_counting_costs_one_statement(allowed, hers, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert counts.tell(NOW) == 0


def test_the_counts_cost_the_same_whatever_the_campaign_holds(
    hook, add_tasks, hers, django_assert_num_queries
):
    add_tasks(hers, 50)
    Task.objects.update(status="settled", plain_answer="yes", settled_at=NOW + timedelta(minutes=1))
    with django_assert_num_queries(8):  # with the transaction's own two
        counts.tell(NOW + HOUR)
    assert said(Event.CAMPAIGN_SETTLED) == [{"campaign": "juniper", "settled": 50}]


@mutant(
    "no message names anyone, or says what somebody wrote",
    "datasets/campaigns.py",
    kept_by="stage=campaign.stage, changed=sorted(changed)",
    broken="stage=campaign.stage, changed=[*sorted(changed), campaign.run_by]",
)
def test_no_message_names_anyone_or_says_what_somebody_wrote(
    hook,
    hers,
    olga,
    bea,
    share,
    alice,
    bring,  # noqa: F811
):
    """Everything that can happen happens, with people and texts that would be found again."""
    campaigns.change(hers, WRITTEN, olga, NOW)
    start_import(bring({"Umbra.wav": sound(1), "Kobaltblau.txt": b"x"}))
    tasks = [share(hers) for _ in range(3)]
    for task in tasks[:2]:
        Annotation.objects.create(task=task, annotator=bea, answer="yes", created_at=NOW)
        settle_at(task, NOW + timedelta(minutes=1))
    dispute_at(tasks[2], NOW + timedelta(minutes=1))
    counts.tell(NOW + HOUR)
    clear(hers)
    release = publish_release(hers, olga)
    consent.withdraw(alice, NOW, material=Material.WAKE_WORD, purpose=Purpose.RESEARCHERS)
    recalls.publish(NOW + timedelta(days=1))
    retraction.retract(release, "Zinnoberrot was in it", olga, NOW)
    keeping.send_test(hook, NOW)
    bodies = [each.body for each in Delivery.objects.all()]
    assert {json.loads(body)["type"] for body in bodies} == {*ALL, "webhook.test"}
    assert [(name, body) for body in bodies for name in CANARIES if name.lower() in body.lower()] == []
    numbers = {"settled", "disputed", "import", "added", "held", "refused"}
    words = {"campaign", "stage", "changed", "release", "webhook", "links"}
    for body in bodies:
        told = json.loads(body)
        assert set(told) == {"type", "timestamp", "data"} and set(told["data"]) <= numbers | words
        assert len(body) < 1_000


def test_the_time_of_a_message_is_in_utc(hook, hers):
    campaigns.move_to(hers, "paused", None, datetime(2026, 5, 4, 12, tzinfo=UTC))
    assert json.loads(Delivery.objects.get().body)["timestamp"] == "2026-05-04T12:00:00+00:00"


@pytest.mark.parametrize("event", [*ALL, "webhook.test"])
def test_every_link_of_a_message_leads_somewhere(event):
    data = dict.fromkeys(messages.FIELDS[event], 1) | {"campaign": "juniper", "release": "spring"}
    for link in (messages.PAGES[event], messages.CALLS[event]):
        resolve(link.format(**data).partition("?")[0])


def test_nobody_is_told_of_a_webhook_that_is_off(hook, hers, olga):
    keeping.switch_off(hook, Webhook.WhyOff.OWNER, olga, NOW)
    campaigns.move_to(hers, "paused", None, NOW)
    counts.tell(NOW + HOUR)
    assert not Delivery.objects.exists()
