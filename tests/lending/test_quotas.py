"""What one account can carry off or hide in a short time, and that people never notice the limit."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from datasets.models import Annotation, Clip, Task
from tagger.lending import assignments, quotas
from tagger.lending.quotas import QuotaReached, QuotaRefusal
from tagger.models import Assignment, Report
from tagger.welcome import pledge
from tests.conftest import NOW
from tests.desk.test_api import LEND, program_of
from tests.support.mutants import mutant
from tests.support.refused import refused

MINUTE = timedelta(minutes=1)


def joined(person, ago):
    """The person, who signed up that long before NOW."""
    person.date_joined = NOW - ago
    person.save(update_fields=["date_joined"])
    return person


def experienced(person, tasks):
    """The person, who signed up last month and has answered these tasks."""
    Annotation.objects.bulk_create(
        Annotation(task=task, annotator=person, plain_answer="yes", created_at=NOW - timedelta(days=9))
        for task in tasks
    )
    return joined(person, timedelta(days=30))


def borrowed(person, tasks, at, state="lent"):
    """Leases as they would be stored at that time."""
    Assignment.objects.bulk_create(
        Assignment(task=task, annotator=person, state=state, lent_at=at, expires_at=at + 15 * MINUTE)
        for task in tasks
    )


@pytest.fixture
def patient(juniper, add_tasks):
    """A campaign in which every clip wants so many answers that none runs out."""
    juniper.min_annotations = juniper.max_annotations = 99
    juniper.save()

    def with_clips(number):
        add_tasks(juniper, number)
        return juniper

    return with_clips


@mutant(
    "a new account cannot carry off a campaign",
    "tagger/lending/assignments.py",
    kept_by="            count = min(count, allowed.more)\n",
    broken="",
)
def test_a_new_account_is_lent_forty_clips_in_ten_minutes_unless_it_answers(bea, patient):
    campaign = patient(60)
    joined(bea, MINUTE)
    lent = [each for _ in range(4) for each in assignments.lend(bea, campaign, 12, NOW)]
    assert len(lent) == 40
    with refused(QuotaRefusal.LENT):
        assignments.lend(bea, campaign, 1, NOW)
    assert Task.objects.filter(lent_count__gt=0).count() == 40
    # What was skipped counts as what is held; an answer makes room for others.
    assignments.skip(bea, lent.pop().pk, NOW)
    with refused(QuotaRefusal.LENT):
        assignments.lend(bea, campaign, 1, NOW)
    for each in lent[:5]:
        assignments.hand_in(bea, each.pk, "yes", NOW)
    assert len(assignments.lend(bea, campaign, 10, NOW)) == 4


@mutant(
    "three hundred clips in one evening pass for a newcomer",
    "tagger/lending/quotas.py",
    kept_by="CASE state WHEN 'done' THEN 1",
    broken="CASE state WHEN 'done' THEN 5",
)
@pytest.mark.parametrize("pace", [5, 10, 15])
def test_a_newcomer_tags_three_hundred_clips_in_an_evening(bea, juniper, add_tasks, pace):
    """At `pace` clips a minute, the desk keeping seven on loan, from the minute after signing up."""
    tasks = add_tasks(juniper, 300 + 7)
    joined(bea, timedelta())
    borrowed(bea, tasks[300:], NOW)
    for minute, first in enumerate(range(0, 300, pace)):
        at = NOW + minute * MINUTE
        Assignment.objects.filter(state="lent").update(lent_at=at)
        assert quotas.lendable(bea, at).more >= 5, f"after {first} clips"
        borrowed(bea, tasks[first : first + pace], at, "done")


def test_someone_who_has_been_here_borrows_a_thousand_in_an_hour_and_not_more(bea, juniper, add_tasks):
    tasks = add_tasks(juniper, 1_200)
    experienced(bea, tasks[:50])
    borrowed(bea, tasks[50:1_050], NOW - 30 * MINUTE, "done")
    assert quotas.lendable(bea, NOW).more == (1_200 - 1_000) // 5
    borrowed(bea, tasks[1_050:1_100], NOW, "skipped")
    assert quotas.lendable(bea, NOW).more == 0
    with refused(QuotaRefusal.LENT):
        assignments.lend(bea, juniper, 1, NOW)


@pytest.mark.parametrize(("ago", "answers", "is_new"), [(59, 60, True), (61, 49, True), (61, 50, False)])
def test_an_account_is_new_for_an_hour_and_for_fifty_answers(bea, juniper, add_tasks, ago, answers, is_new):
    experienced(bea, add_tasks(juniper, answers))
    joined(bea, ago * MINUTE)
    assert quotas.is_new(bea, NOW) == is_new
    assert quotas.lendable(bea, NOW).more == (200 if is_new else 1_200) // 5


def test_the_refusal_says_truly_when_it_goes_on(bea, patient):
    campaign = patient(60)
    joined(bea, MINUTE)
    assignments.lend(bea, campaign, 20, NOW)
    assignments.lend(bea, campaign, 20, NOW + 4 * MINUTE)
    with pytest.raises(QuotaReached) as reached:
        assignments.lend(bea, campaign, 1, NOW + 5 * MINUTE)
    assert reached.value.seconds == 300
    with refused(QuotaRefusal.LENT):
        assignments.lend(bea, campaign, 1, NOW + 10 * MINUTE - timedelta(seconds=1))
    assert len(assignments.lend(bea, campaign, 25, NOW + 10 * MINUTE)) == 20


def test_a_quota_of_zero_is_no_limit(bea, patient, settings):
    settings.NEWCOMERS_LENDING_QUOTA = settings.NEWCOMERS_SKIPPING_QUOTA = 0
    campaign = patient(60)
    lent = assignments.lend(bea, campaign, 60, NOW)
    for each in lent:
        assignments.skip(bea, each.pk, NOW)
    assert len(lent) == 60


def test_the_quota_costs_lending_no_statement(volunteers, patient, settings):
    campaign = patient(30)
    assignments.lend(volunteers[0], campaign, 10, NOW)  # prepares the statements
    with CaptureQueriesContext(connection) as limited:
        assignments.lend(volunteers[1], campaign, 10, NOW)
    settings.NEWCOMERS_LENDING_QUOTA = settings.LENDING_QUOTA = 0
    with CaptureQueriesContext(connection) as unlimited:
        assignments.lend(volunteers[2], campaign, 10, NOW)
    assert len(limited) == len(unlimited)


@mutant(
    "no account skips its way through a campaign",
    "tagger/lending/assignments.py",
    kept_by="            quotas.check_skip(annotator, now)\n",
    broken="            pass\n",
)
def test_a_new_account_skips_thirty_clips_in_ten_minutes(bea, patient):
    lent = assignments.lend(bea, patient(40), 40, NOW)
    for each in lent[:30]:
        assignments.skip(bea, each.pk, NOW)
    with refused(QuotaRefusal.SKIPPED):
        assignments.skip(bea, lent[30].pk, NOW)
    assignments.skip(bea, lent[0].pk, NOW)  # again: no error
    assert Assignment.objects.get(pk=lent[30].pk).state == "lent"
    assignments.hand_in(bea, lent[30].pk, "yes", NOW)
    assignments.skip(bea, lent[31].pk, NOW + 10 * MINUTE)


@mutant(
    "a new account cannot hide a campaign",
    "tagger/lending/reporting.py",
    kept_by="        quotas.check_report(reporter, now)\n",
    broken="        pass\n",
)
def test_a_new_account_reports_ten_clips_in_ten_minutes(bea, patient):
    lent = assignments.lend(bea, patient(20), 20, NOW)
    for each in lent[:10]:
        assignments.report(bea, each.pk, "private", NOW)
    with refused(QuotaRefusal.REPORTED):
        assignments.report(bea, lent[10].pk, "private", NOW)
    assignments.report(bea, lent[0].pk, "private", NOW)  # again: no error
    assert Clip.objects.exclude(hidden_at=None).count() == Report.objects.count() == 10
    assert Assignment.objects.get(pk=lent[10].pk).state == "lent"
    assignments.report(bea, lent[10].pk, "private", NOW + 10 * MINUTE)


def test_answers_that_are_reported_later_count_when_they_are_reported(bea, patient):
    """Tag first and report everything at once: the time of the report counts, not that of the loan."""
    lent = assignments.lend(bea, patient(12), 12, NOW)
    for each in lent:
        assignments.hand_in(bea, each.pk, "yes", NOW)
    later = NOW + timedelta(hours=3)
    for each in lent[:10]:
        assignments.report(bea, each.pk, "private", later)
    with refused(QuotaRefusal.REPORTED):
        assignments.report(bea, lent[10].pk, "private", later)


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_do_not_pass_the_quota_together(bea, juniper, add_tasks, run_together):
    add_tasks(juniper, 60)
    joined(bea, MINUTE)
    done = run_together(*[lambda: assignments.lend(bea, juniper, 10, NOW)] * 8, threads=8)
    lent = [each for result in done if isinstance(result, list) for each in result]
    assert len(lent) == Assignment.objects.count() <= 40
    held = list(Assignment.objects.values_list("pk", flat=True))
    run_together(*[lambda pk=pk: assignments.report(bea, pk, "private", NOW) for pk in held[:14]], threads=7)
    assert Report.objects.count() <= 10


# --- from outside -------------------------------------------------------------------------------


@pytest.fixture
def strangers(alice):
    """Two hundred accounts that a script made a moment ago."""
    return User.objects.bulk_create(
        User(username=f"stranger {number}", pledge=pledge.VERSION) for number in range(200)
    )


def carried_off(program):
    """How many clips a program is lent before it is told to wait."""
    lent = 0
    while (answer := program.post(LEND, {"count": 10}, format="json")).status_code == 201:
        lent += len(answer.json()["assignments"])
    assert answer.status_code == 429 and 0 < int(answer["Retry-After"]) <= 600
    assert answer.json()["detail"] == "That was a lot of clips in a short time. More come in 10 minutes."
    return lent


def test_two_hundred_fresh_accounts_carry_off_forty_clips_each_over_the_api(strangers, patient):
    patient(100)
    assert sum(carried_off(program_of(person)) for person in strangers) == 200 * 40


def test_two_hundred_fresh_accounts_hide_only_what_two_of_them_cannot_hear(strangers, patient):
    """Each borrows two clips and says of both that they cannot be heard."""
    patient(400)
    for program in map(program_of, strangers):
        for each in program.post(LEND, {"count": 2}, format="json").json()["assignments"]:
            report = f"/api/v1/assignments/{each['id']}/report/"
            assert program.post(report, {"reason": "audio"}, format="json").status_code == 204
    reported_twice = sum(number > 1 for number in reports_by_clip().values())
    assert Report.objects.count() == 400
    assert Clip.objects.exclude(hidden_at=None).count() == reported_twice


def reports_by_clip():
    clips = list(Report.objects.values_list("clip", flat=True))
    return {clip: clips.count(clip) for clip in clips}


def test_one_fresh_account_hears_forty_clips_by_lending_fetching_and_skipping(bea, juniper, share):
    for _ in range(45):
        share(juniper)
    program, heard = program_of(bea), 0
    while (lent := program.post(LEND)).status_code == 201:
        [assignment] = lent.json()["assignments"]
        heard += program.get(assignment["audio"]).status_code == 200
        skipped = program.post(f"/api/v1/assignments/{assignment['id']}/skip/")
        assert skipped.status_code == (204 if heard <= 30 else 429)
        assert ("Retry-After" in skipped) == (heard > 30)
    assert (heard, lent.status_code) == (40, 429)
    assert program.get(assignment["audio"]).status_code == 200  # what is lent stays usable


def test_the_page_without_javascript_says_when_it_goes_on(client, bea, juniper, share, settings):
    settings.NEWCOMERS_LENDING_QUOTA = 15
    for _ in range(5):
        share(juniper)
    client.force_login(bea)
    for _ in range(3):
        assert client.get("/tag/juniper/").status_code == 200
        [lent] = bea.assignments.filter(state="lent")
        client.post(reverse("skip", args=[lent.pk]))
    page = client.get("/tag/juniper/")
    text = page.content.decode()
    assert page.status_code == 429 and 0 < int(page["Retry-After"]) <= 600
    assert "That was a lot of clips in a short time. More come in 10 minutes." in text
    assert 'data-continues-in="' in text and "caught up" not in text
    Assignment.objects.update(lent_at=timezone.now() - 11 * MINUTE)
    assert client.get("/tag/juniper/").status_code == 200


def test_the_page_without_javascript_says_that_too_much_was_skipped(client, bea, juniper, share, settings):
    settings.NEWCOMERS_SKIPPING_QUOTA = 1
    for _ in range(3):
        share(juniper)
    client.force_login(bea)
    client.get("/tag/juniper/")
    client.post(reverse("skip", args=[bea.assignments.get(state="lent").pk]))
    client.get("/tag/juniper/")
    held = bea.assignments.get(state="lent")
    page = client.post(reverse("skip", args=[held.pk]), follow=True)
    assert "You can skip more in 10 minutes." in page.content.decode()
    assert reverse("hand_in", args=[held.pk]) in page.content.decode()  # the clip is still theirs
