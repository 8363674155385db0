"""Reported clips wait for a reviewer for as long as they would be live without the report, and so do their
recalls."""

import re
from datetime import timedelta
from itertools import product

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import audit, consent, notices
from accounts.models import AuditEvent, Material, Purpose
from datasets.models import Clip, Task, Withdrawal
from datasets.releases import recalls
from tagger.desk import examples
from tagger.lending import assignments
from tagger.models import Report, ReviewItem
from tagger.privacy import withdrawal
from tagger.review import acts, queue, reports
from tests.conftest import NOW
from tests.releases.test_between_feeds import scrub_all
from tests.support.factors import give_factor
from tests.support.mutants import mutant
from tests.support.released import release, settle
from tests.support.reviewing import act_on, item_of, page_of


@pytest.mark.parametrize(
    ("is_consented", "is_cooling_off", "is_being_erased"), list(product([True, False], repeat=3))
)
def test_a_reported_clip_waits_for_a_reviewer_exactly_if_it_is_live_without_the_report(
    alice, rita, juniper, add_tasks, is_consented, is_cooling_off, is_being_erased
):
    add_tasks(juniper, 1)
    erasure = Withdrawal.objects.create(
        person_id=alice.pk, scope=Withdrawal.Scope.CLIPS, token_sha256="x", requested_at=NOW
    )
    clip = Clip.objects.get()
    ReviewItem.objects.open_report(clip, Report(reason="private", campaign=juniper), NOW)
    Clip.objects.update(
        hidden_at=NOW,
        held_until=timezone.now() + timedelta(hours=1 if is_cooling_off else -1),
        withdrawal=erasure if is_being_erased else None,
    )
    if not is_consented:
        consent.withdraw(alice, NOW)
    waits = queue.open_to(rita).exists()
    assert not Clip.objects.live_for(Purpose.VOLUNTEERS) and not Task.objects.live_for(Purpose.VOLUNTEERS)
    Clip.objects.update(hidden_at=None)
    is_live = is_consented and not is_cooling_off and not is_being_erased
    assert waits == is_live
    assert Clip.objects.live_for(Purpose.VOLUNTEERS).exists() == is_live
    assert Task.objects.live_for(Purpose.VOLUNTEERS).exists() == is_live


@mutant(
    "what a reviewer shows again is good again in the feed",
    "tagger/review/acts.py",
    kept_by="update(dismissed_at=now)\n    Clip.objects.filter(pk=clip.pk).update(hidden_at=None)",
    broken="update(dismissed_at=now)\n    Clip.objects.filter(pk=clip.pk).update(hidden_at=now)",
)
def test_a_report_recalls_a_released_clip_and_showing_it_again_says_that_it_is_good(
    client, alice, bea, rita, juniper, share
):
    """Over the pages on which volunteers report an example and reviewers dismiss the report."""
    consent.give(alice, "wake-word", Material.WAKE_WORD.purposes, NOW, notice=notices.current("en"))
    task = settle(share(juniper))
    spring = release("spring", juniper)
    [public_id] = spring.rows.values_list("public_id", flat=True)
    example = examples.choose(task, "clear")

    def feed_of_day(number):
        recalls.publish(timezone.now() + timedelta(days=number))
        feed = Client().get("/api/v1/recalls/spring.json").json()
        return feed["recalled"], feed["returned"]

    client.force_login(bea)
    client.post(reverse("report_example", args=[example.pk]), {"reason": "private"})
    assert feed_of_day(1) == ([public_id], [])
    client.force_login(rita)
    client.post(act_on(item_of(task.clip), "dismiss"))
    assert feed_of_day(2) == ([], [public_id])


def say(person, task, reason="private", now=NOW):
    assignments.report_example(person, task, reason, now)


def hidden_of(tasks):
    rows = dict(Task.objects.filter(pk__in=[task.pk for task in tasks]).values_list("pk", "clip__hidden_at"))
    return [rows[task.pk] is not None for task in tasks]


def test_a_first_report_that_hides_nothing_waits_too_and_can_be_dismissed(client, bea, rita, juniper, share):
    task = share(juniper)
    say(bea, task, "audio")
    [item] = queue.open_to(rita)
    assert (item.clip_id, item.kind, item.reason) == (task.clip_id, "report", "audio")
    client.force_login(rita)
    page = client.get(page_of(item)).content.decode()
    assert "Volunteers still hear it" in page and "cannot be heard" in page
    assert client.get(page_of(item) + "audio/").status_code == 200
    client.post(act_on(item, "dismiss"))
    assert not queue.open_to(rita) and Report.objects.get().dismissed_at


def test_a_reviewer_sees_and_judges_no_report_of_their_own_voice(client, alice, bea, carl, juniper, share):
    give_factor(alice).roles = ["reviewer"]
    alice.save()
    for reason in ("audio", "private"):
        say(bea, share(juniper), reason)
    client.force_login(alice)
    assert ReviewItem.objects.open().count() == 2 and not queue.open_to(alice)
    for item in ReviewItem.objects.all():
        assert client.get(page_of(item)).status_code == 404
        assert client.post(act_on(item, "dismiss")).status_code == 404
    client.post(reverse("dismiss_all_reports", args=[bea.pk]))
    assert not Report.objects.exclude(dismissed_at=None)


def seen(answered):
    """The page in one line, without its random tokens, in which a name could be by chance."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answered.content.decode())
    return " ".join(page.split())


def test_a_reviewer_sees_who_reported_how_often_by_number(client, bea, carl, rita, juniper, share):
    first, second, third = (share(juniper) for _ in range(3))
    for task in (first, second, third):
        say(bea, task)
    say(carl, second, "audio")
    acts.dismiss(item_of(first.clip), rita, NOW)
    client.force_login(rita)
    for task in (second, third):
        page = seen(client.get(page_of(item_of(task.clip))))
        assert page.count(f"volunteer {bea.pk}: 3 reported, 1 dismissed") == 1
        assert page.count(f"volunteer {carl.pk}: 1 reported, 0 dismissed") == (task is second)
        assert "bea" not in page and "carl" not in page


@mutant(
    "a clip that somebody else reported too stays hidden when one person's reports are dismissed",
    "tagger/review/reports.py",
    kept_by="if not clip.reports.open().exists() and",
    broken="if",
)
def test_all_reports_of_one_person_are_dismissed_in_one_step(client, bea, carl, rita, juniper, share):
    tasks = [share(juniper) for _ in range(4)]
    for task in tasks[:3]:
        say(bea, task)
    say(carl, tasks[2], "audio")
    say(carl, tasks[3])
    client.force_login(rita)
    answer = client.post(reverse("dismiss_all_reports", args=[bea.pk]), follow=True)
    assert f"3 reports of volunteer {bea.pk} are dismissed." in answer.content.decode()
    assert hidden_of(tasks) == [False, False, True, True]
    assert list(Report.objects.filter(dismissed_at=None).values_list("reporter", flat=True)) == [carl.pk] * 2
    events = AuditEvent.objects.filter(act=audit.Act.DISMISSED, person=rita).values_list("about", flat=True)
    assert sorted(events) == sorted(f"clip {task.clip_id}" for task in tasks[:3])
    assert audit.broken_at() is None
    client.post(reverse("dismiss_all_reports", args=[carl.pk]))
    assert hidden_of(tasks) == [False] * 4


def test_more_reports_than_one_batch_are_dismissed(bea, rita, juniper, add_tasks, settings, monkeypatch):
    monkeypatch.setattr(reports, "BATCH_SIZE", 2)
    settings.NEWCOMERS_REPORTING_QUOTA = 0
    tasks = add_tasks(juniper, 5)
    for task in tasks:
        say(bea, task)
    assert reports.dismiss_all_of(bea.pk, rita, NOW) == 5
    assert not any(hidden_of(tasks))


def test_only_reviewers_dismiss_reports(client, bea, carl, juniper, share):
    say(bea, share(juniper))
    client.force_login(carl)
    assert client.post(reverse("dismiss_all_reports", args=[bea.pk])).status_code == 403
    assert not Report.objects.exclude(dismissed_at=None)


@mutant(
    "what somebody reported who has left is not shown again unheard",
    "tagger/review/reports.py",
    kept_by="return clip.hidden_at is None or clip.reports.filter(at=clip.hidden_at).exists()",
    broken="return True",
)
def test_a_clip_hidden_by_somebody_who_left_stays_hidden_until_a_reviewer_heard_it(
    client, bea, carl, rita, juniper, share
):
    task = share(juniper)
    say(carl, task, "private")
    say(bea, task, "audio", NOW + timedelta(minutes=1))
    withdrawal.forget_account(carl, False, NOW)
    scrub_all()
    assert list(Report.objects.values_list("reporter", flat=True)) == [bea.pk]
    reports.dismiss_all_of(bea.pk, rita, NOW)
    assert hidden_of([task]) == [True]
    client.force_login(rita)
    item = item_of(task.clip)
    assert "Whoever reported it has left." in client.get(page_of(item)).content.decode()
    client.post(act_on(item, "dismiss"))
    assert hidden_of([task]) == [False]


def test_the_review_page_takes_as_many_queries_for_ten_reports_as_for_two(
    client, volunteers, rita, juniper, add_tasks, django_assert_max_num_queries
):
    client.force_login(rita)
    for task in add_tasks(juniper, 10):
        for person in volunteers[:2]:
            say(person, task)
    with django_assert_max_num_queries(20):
        assert client.get("/review/").status_code == 200
